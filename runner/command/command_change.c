/* SPDX-License-Identifier: Apache-2.0 */
/* kill, delete, pause, resume, update: commands that change what is there. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/units.h"
#include "runner/command/command.h"
#include "runner/container/state.h"
#include "runner/spec/field.h"
#include "runner/supervise/hold.h"

#define FREEZE_TIMEOUT_MS 10000
#define RESOURCES_MAX     ((size_t)1 << 20)

static int kill_one(struct arena *mem, struct options *options, struct error *err);
static int delete_one(struct arena *mem, struct options *options, struct error *err);
static int each_match(struct arena *mem, struct options *options,
                      int (*change)(struct arena *mem, struct options *options, struct error *err),
                      struct error *err);
static int change_matches(struct arena *mem, struct options *options, const regex_t *pattern,
                          int (*change)(struct arena *mem, struct options *options,
                                        struct error *err),
                          struct error *err);
static int parse_signal(const char *text);
static json_t *read_resources(struct arena *mem, const char *path, struct error *err);
static json_t *resources_of_limits(const struct options *options, struct error *err);

int command_kill(struct arena *mem, struct options *options, struct error *err)
{
    return options->is_regex ? each_match(mem, options, kill_one, err)
                             : kill_one(mem, options, err);
}

int command_delete(struct arena *mem, struct options *options, struct error *err)
{
    return options->is_regex ? each_match(mem, options, delete_one, err)
                             : delete_one(mem, options, err);
}

static int kill_one(struct arena *mem, struct options *options, struct error *err)
{
    cleanup_container struct container *container = NULL;
    const char *text = options->arg_count > 1 ? options->args[1] : "TERM";
    int number = parse_signal(text);

    if (number < 0)
        return fail(err, ERR_INVALID, "unknown signal \"%s\"", text);
    if (command_open(mem, options, &container, err) < 0)
        return -1;
    return options->is_all ? container_kill_all(container, number, err)
                           : container_kill(container, number, err);
}

static int delete_one(struct arena *mem, struct options *options, struct error *err)
{
    cleanup_container struct container *container = NULL;

    if (command_open(mem, options, &container, err) == 0)
        return container_delete(container, options->is_forced, err);
    /* One that was cut off before it had a state, or whose state a loss of power took. */
    if (options->is_forced && (err->code == ERR_NOT_FOUND || err->code == ERR_CORRUPT))
        return state_remove(options->root, options->args[0], err);
    return -1;
}

int command_pause(struct arena *mem, struct options *options, struct error *err)
{
    cleanup_container struct container *container = NULL;

    if (command_open(mem, options, &container, err) < 0)
        return -1;
    return container_freeze(container, FREEZE_TIMEOUT_MS, err);
}

int command_resume(struct arena *mem, struct options *options, struct error *err)
{
    cleanup_container struct container *container = NULL;

    if (command_open(mem, options, &container, err) < 0)
        return -1;
    if (container_status(container) != CONTAINER_PAUSED)
        return fail(err, ERR_CONFLICT, "container not paused");
    return container_thaw(container, err);
}

int command_hold(struct arena *mem, struct options *options, struct error *err)
{
    const char **paths = arena_array(mem, (size_t)options->arg_count, sizeof(*paths));

    for (int i = 0; i < options->arg_count; i++)
        paths[i] = options->args[i];
    return hold_run(paths, (size_t)options->arg_count, err);
}

int command_update(struct arena *mem, struct options *options, struct error *err)
{
    cleanup_container struct container *container = NULL;

    if (command_open(mem, options, &container, err) < 0)
        return -1;
    cleanup_json json_t *resources = options->resources != NULL
                                         ? read_resources(mem, options->resources, err)
                                         : resources_of_limits(options, err);
    return resources == NULL ? -1 : container_update(container, resources, err);
}

/* As crun has it: every container whose id the expression is found in; none is no error. */
static int each_match(struct arena *mem, struct options *options,
                      int (*change)(struct arena *mem, struct options *options, struct error *err),
                      struct error *err)
{
    regex_t pattern;

    if (regcomp(&pattern, options->args[0], REG_EXTENDED | REG_NOSUB) != 0)
        return fail(err, ERR_INVALID, "invalid regular expression '%s'", options->args[0]);
    int rc = change_matches(mem, options, &pattern, change, err);
    regfree(&pattern);
    return rc;
}

/* All are tried; the first error is the one to tell. */
static int change_matches(struct arena *mem, struct options *options, const regex_t *pattern,
                          int (*change)(struct arena *mem, struct options *options,
                                        struct error *err),
                          struct error *err)
{
    cleanup_dir DIR *dir = opendir(options->root);
    struct error failure = { 0 };
    int rc = 0;

    if (dir == NULL)
        return errno == ENOENT ? 0 : fail_sys(err, -errno, "cannot read '%s'", options->root);
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        if (entry->d_name[0] == '.' || regexec(pattern, entry->d_name, 0, NULL, 0) != 0)
            continue;
        options->args[0] = arena_strdup(mem, entry->d_name);
        if (change(mem, options, &failure) == 0 || rc < 0)
            continue;
        *err = failure;
        rc = error_prefix(err, "container '%s'", entry->d_name);
    }
    return rc;
}

/* "9", "KILL", "SIGKILL", in any case. */
static int parse_signal(const char *text)
{
    int64_t number = 0;

    if (units_parse_int(text, &number) == 0)
        return number > 0 && number < NSIG ? (int)number : -EINVAL;
    if (strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    for (int signal_number = 1; signal_number < NSIG; signal_number++) {
        const char *name = sigabbrev_np(signal_number);
        if (name != NULL && strcasecmp(name, text) == 0)
            return signal_number;
    }
    return -EINVAL;
}

/* "-" is standard input: so go-runc sends it. */
static json_t *read_resources(struct arena *mem, const char *path, struct error *err)
{
    char *text = NULL;
    size_t size = 0;

    if (strcmp(path, "-") != 0) {
        if (fs_read_file(mem, AT_FDCWD, path, RESOURCES_MAX, &text, &size, err) < 0)
            return NULL;
        return fields_parse(text, size, err);
    }
    text = arena_alloc(mem, RESOURCES_MAX);
    ssize_t got = sys_read_all(STDIN_FILENO, text, RESOURCES_MAX);
    if (got < 0) {
        (void)fail_sys(err, (int)got, "cannot read standard input");
        return NULL;
    }
    return fields_parse(text, (size_t)got, err);
}

static json_t *resources_of_limits(const struct options *options, struct error *err)
{
    cleanup_json json_t *resources = json_object();

    for (size_t i = 0; i < limit_option_count; i++) {
        const struct limit_option *limit = &limit_options[i];
        const char *text = options->limits[i];
        int64_t number = 0;
        if (text == NULL)
            continue;
        if (!limit->is_text && units_parse_int(text, &number) < 0 &&
            units_parse_size(text, &number) < 0) {
            (void)fail(err, ERR_INVALID, "'%s' is not a number", text);
            return NULL;
        }
        json_t *section = json_object_get(resources, limit->section);
        if (section == NULL) {
            section = json_object();
            json_set(resources, limit->section, section);
        }
        json_set(section, limit->member, limit->is_text ? json_text(text) : json_integer(number));
    }
    return json_incref(resources);
}
