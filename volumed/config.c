/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table of options serves the command line and the configuration file.  A file has lines
 * 'name = value' with the flags' names; '#' begins a comment.
 */
#include "config.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/fs.h"
#include "base/units.h"

#define CONFIG_FILE_MAX ((size_t)64 << 10)
#define WORKERS_MAX     64

const char config_usage[] =
    "usage: volumed [--state DIR] [--socket PATH] [--config FILE] [OPTION]…\n"
    "\n"
    "  --state DIR           database, volumes, images, containers (/var/lib/volumed)\n"
    "  --socket PATH         the Docker door and our own API (/run/volumed.sock)\n"
    "  --plugin-socket PATH  Docker's volume plugin protocol; \"\" for none\n"
    "                        (/run/docker/plugins/volumed.sock with the default state, else none)\n"
    "  --group NAME          group that may use the socket (root only)\n"
    "  --runner PATH         the container runtime (beside volumed, or ../libexec/volumed/runner)\n"
    "  --default-pool KIND   what the first start makes: auto, directory or layered, or a disk of its\n"
    "                        own, xfs or btrfs (auto)\n"
    "  --workers N           requests served at once (8)\n"
    "  --trash-ttl DURATION  how long removed volumes and snapshots can be restored (24h; 0: not at all)\n"
    "  --carry-window DURATION  how long a container of the same name can take over the anonymous volumes\n"
    "                        of a removed one (10m)\n"
    "  --log-level LEVEL     debug, info, warn, error (info)\n"
    "  --config FILE         'name = value' lines with the names above, without dashes\n"
    "  --version, --help\n";

enum option_type {
    OPTION_TEXT,
    OPTION_INT,
    OPTION_LEVEL,
    OPTION_DURATION
};

struct option_row {
    const char *name;
    enum option_type type;
    size_t offset;
};

static const struct option_row option_rows[] = {
    { "state", OPTION_TEXT, offsetof(struct config, state_dir) },
    { "socket", OPTION_TEXT, offsetof(struct config, socket) },
    { "plugin-socket", OPTION_TEXT, offsetof(struct config, plugin_socket) },
    { "group", OPTION_TEXT, offsetof(struct config, group) },
    { "runner", OPTION_TEXT, offsetof(struct config, runner) },
    { "default-pool", OPTION_TEXT, offsetof(struct config, default_pool) },
    { "workers", OPTION_INT, offsetof(struct config, workers) },
    { "trash-ttl", OPTION_DURATION, offsetof(struct config, trash_ttl_ns) },
    { "carry-window", OPTION_DURATION, offsetof(struct config, carry_window_ns) },
    { "log-level", OPTION_LEVEL, offsetof(struct config, log_level) },
};

#define DEFAULT_STATE_DIR     "/var/lib/volumed"
#define DEFAULT_PLUGIN_SOCKET "/run/docker/plugins/volumed.sock"

/* What a flag has set, a file does not set again. */
struct loader {
    struct config *config;
    struct arena *mem;
    bool is_set[ARRAY_SIZE(option_rows)];
    const char *file;
};

static int read_flags(struct loader *loader, int argc, char **argv, struct error *err);
static int set_flag(struct loader *loader, const char *name, size_t length, const char *value,
                    struct error *err);
static int read_file(struct loader *loader, struct error *err);
static int read_line(struct loader *loader, char *line, int number, struct error *err);
static int find_row(const char *name, size_t length);
static int set(struct loader *loader, int row, const char *value, struct error *err);
static int set_level(enum log_level *level, const char *value, struct error *err);
static int complete(struct config *config, struct error *err);
static bool is_pool_kind(const char *text);
static char *trim(char *text);

int config_load(struct config *config, struct arena *mem, int argc, char **argv, struct error *err)
{
    struct loader loader = { .config = config, .mem = mem };

    *config = (struct config){
        .state_dir = DEFAULT_STATE_DIR,
        .socket = "/run/volumed.sock",
        .group = "",
        .default_pool = "auto",
        .workers = 8,
        .log_level = LOG_INFO,
        .trash_ttl_ns = INT64_C(24) * 3600 * 1000000000,
        .carry_window_ns = INT64_C(10) * 60 * 1000000000,
    };
    if (read_flags(&loader, argc, argv, err) < 0)
        return -1;
    if (loader.file != NULL && read_file(&loader, err) < 0)
        return error_prefix(err, "configuration '%s'", loader.file);
    return complete(config, err);
}

/* --name VALUE and --name=VALUE. */
static int read_flags(struct loader *loader, int argc, char **argv, struct error *err)
{
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i] + 2;
        if (strncmp(argv[i], "--", 2) != 0)
            return fail(err, ERR_INVALID, "unexpected argument '%s'; see --help", argv[i]);
        size_t length = strcspn(name, "=");
        if (strcmp(name, "help") == 0 || strcmp(name, "version") == 0) {
            *(name[0] == 'h' ? &loader->config->wants_help : &loader->config->wants_version) = true;
            continue;
        }
        const char *value = name[length] == '=' ? name + length + 1 : argv[++i];
        if (set_flag(loader, name, length, value, err) < 0)
            return -1;
    }
    return 0;
}

static int set_flag(struct loader *loader, const char *name, size_t length, const char *value,
                    struct error *err)
{
    int row = find_row(name, length);
    bool is_file = length == strlen("config") && strncmp(name, "config", length) == 0;

    if (row < 0 && !is_file)
        return fail(err, ERR_INVALID, "unknown option '--%.*s'; see --help", (int)length, name);
    if (value == NULL)
        return fail(err, ERR_INVALID, "option '--%.*s' needs a value", (int)length, name);
    if (!is_file)
        return set(loader, row, value, err);
    loader->file = value;
    return 0;
}

static int read_file(struct loader *loader, struct error *err)
{
    char *text;
    char *rest = NULL;
    int number = 0;

    if (fs_read_file(loader->mem, AT_FDCWD, loader->file, CONFIG_FILE_MAX, &text, NULL, err) < 0)
        return -1;
    for (rest = text; rest != NULL;) {
        char *line = strsep(&rest, "\n");
        if (read_line(loader, line, ++number, err) < 0)
            return -1;
    }
    return 0;
}

static int read_line(struct loader *loader, char *line, int number, struct error *err)
{
    line[strcspn(line, "#")] = '\0';
    char *name = trim(line);
    char *value = strchr(name, '=');

    if (*name == '\0')
        return 0;
    if (value == NULL)
        return fail(err, ERR_INVALID, "line %d: expected 'name = value'", number);
    *value++ = '\0';
    name = trim(name);
    int row = find_row(name, strlen(name));
    if (row < 0)
        return fail(err, ERR_INVALID, "line %d: unknown name '%s'", number, name);
    if (loader->is_set[row])
        return 0;
    if (set(loader, row, trim(value), err) < 0)
        return error_prefix(err, "line %d", number);
    return 0;
}

static int find_row(const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_SIZE(option_rows); i++)
        if (strlen(option_rows[i].name) == length &&
            strncmp(option_rows[i].name, name, length) == 0)
            return (int)i;
    return -1;
}

static int set(struct loader *loader, int row, const char *value, struct error *err)
{
    void *target = (char *)loader->config + option_rows[row].offset;

    loader->is_set[row] = true;
    switch (option_rows[row].type) {
    case OPTION_TEXT: *(const char **)target = value; return 0;
    case OPTION_LEVEL: return set_level(target, value, err);
    case OPTION_DURATION:
        if (units_parse_duration(value, target) < 0 || *(int64_t *)target < 0)
            return fail(err, ERR_INVALID, "'%s' must be a duration like 90s or 24h, not '%s'",
                        option_rows[row].name, value);
        return 0;
    case OPTION_INT:
        if (units_parse_int(value, target) < 0)
            return fail(err, ERR_INVALID, "'%s' must be a number, not '%s'", option_rows[row].name,
                        value);
        return 0;
    }
    return 0;
}

static int set_level(enum log_level *level, const char *value, struct error *err)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(names[i], value) == 0) {
            *level = (enum log_level)i;
            return 0;
        }
    }
    return fail(err, ERR_INVALID, "log level must be debug, info, warn or error, not '%s'", value);
}

static int complete(struct config *config, struct error *err)
{
    if (config->state_dir[0] != '/')
        return fail(err, ERR_INVALID, "state directory '%s' must be an absolute path",
                    config->state_dir);
    if (config->socket[0] != '/' && config->socket[0] != '\0')
        return fail(err, ERR_INVALID, "socket '%s' must be an absolute path", config->socket);
    if (config->workers < 2 || config->workers > WORKERS_MAX)
        return fail(err, ERR_INVALID, "workers must be between 2 and %d", WORKERS_MAX);
    if (!is_pool_kind(config->default_pool))
        return fail(err, ERR_INVALID,
                    "default-pool must be auto, directory, layered, xfs or btrfs, not '%s'",
                    config->default_pool);
    if (config->plugin_socket == NULL) /* a private volumed must not take the host's plugin name */
        config->plugin_socket =
            strcmp(config->state_dir, DEFAULT_STATE_DIR) == 0 ? DEFAULT_PLUGIN_SOCKET : "";
    return 0;
}

static bool is_pool_kind(const char *text)
{
    static const char *const kinds[] = { "auto", "directory", "layered", "xfs", "btrfs" };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kinds[i], text) == 0)
            return true;
    return false;
}

static char *trim(char *text)
{
    text += strspn(text, " \t\r");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r", text[length - 1]) != NULL)
        text[--length] = '\0';
    return text;
}
