/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One function an instruction, found by a table.  Words are split as the Dockerfile reference says;
 * variables are not expanded, as Docker does not for changes.
 */
#include "core/image/image_change.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/path.h"
#include "base/units.h"
#include "core/image/image_word.h"

#define LINE_BYTES_MAX 65536
#define PORT_MAX       65535

struct change {
    struct arena *mem;
    json_t *config;
    const char *text; /* after the instruction, trimmed */
    bool has_command; /* a CMD was among the changes before */
};

typedef int (*change_fn)(struct change *change, struct error *err);

static int apply_line(struct change *change, const char *line, struct error *err);
static int change_cmd(struct change *change, struct error *err);
static int change_entrypoint(struct change *change, struct error *err);
static int change_env(struct change *change, struct error *err);
static int change_expose(struct change *change, struct error *err);
static int change_healthcheck(struct change *change, struct error *err);
static int change_label(struct change *change, struct error *err);
static int change_onbuild(struct change *change, struct error *err);
static int change_stopsignal(struct change *change, struct error *err);
static int change_user(struct change *change, struct error *err);
static int change_volume(struct change *change, struct error *err);
static int change_workdir(struct change *change, struct error *err);
static json_t *command_of(const char *text);
static json_t *array_of(const char *text);
static void set_env(json_t *env, struct arena *mem, const char *key, const char *value);
static int expose(json_t *ports, struct arena *mem, const char *word, struct error *err);
static int health_flag(json_t *health, const struct word *word, struct error *err);
static json_t *member_of(json_t *config, const char *name, json_t *fresh);

int image_change_apply(struct arena *mem, json_t *config, const char *const *changes,
                       struct error *err)
{
    struct change change = { .mem = mem, .config = config };

    for (size_t i = 0; changes != NULL && changes[i] != NULL; i++)
        if (apply_line(&change, changes[i], err) < 0)
            return -1;
    return 0;
}

static int apply_line(struct change *change, const char *line, struct error *err)
{
    static const struct {
        const char *name;
        change_fn apply;
    } instructions[] = {
        { "CMD", change_cmd },
        { "ENTRYPOINT", change_entrypoint },
        { "ENV", change_env },
        { "EXPOSE", change_expose },
        { "HEALTHCHECK", change_healthcheck },
        { "LABEL", change_label },
        { "ONBUILD", change_onbuild },
        { "STOPSIGNAL", change_stopsignal },
        { "USER", change_user },
        { "VOLUME", change_volume },
        { "WORKDIR", change_workdir },
    };

    line += strspn(line, " \t\r\n");
    size_t length = strcspn(line, " \t\r\n");
    if (strlen(line) > LINE_BYTES_MAX)
        return fail(err, ERR_INVALID, "a change is longer than %d bytes", LINE_BYTES_MAX);
    cleanup_json json_t *text = json_string(line); /* NULL unless it is UTF-8 */
    if (text == NULL)
        return fail(err, ERR_INVALID, "a change is not UTF-8");
    change->text = word_trim(change->mem, line + length);
    for (size_t i = 0; i < ARRAY_SIZE(instructions); i++) {
        if (strlen(instructions[i].name) != length ||
            strncasecmp(instructions[i].name, line, length) != 0)
            continue;
        if (*change->text == '\0')
            return fail(err, ERR_INVALID, "%s requires at least one argument",
                        instructions[i].name);
        return instructions[i].apply(change, err);
    }
    return fail(err, ERR_INVALID, "%.*s is not a valid change command", (int)length, line);
}

static int change_cmd(struct change *change, struct error *err)
{
    (void)err; /* any text is a command */
    json_set(change->config, "Cmd", command_of(change->text));
    change->has_command = true;
    return 0;
}

static int change_entrypoint(struct change *change, struct error *err)
{
    (void)err; /* any text is a command */
    json_set(change->config, "Entrypoint", command_of(change->text));
    if (!change->has_command) /* the arguments of another program mean nothing to this one */
        json_set(change->config, "Cmd", json_null());
    return 0;
}

static int change_env(struct change *change, struct error *err)
{
    json_t *env = member_of(change->config, "Env", json_array());
    const struct word *words;
    size_t count;

    if (word_pairs(change->mem, "ENV", change->text, &words, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        set_env(env, change->mem, words[i].key, words[i].value);
    return 0;
}

static int change_expose(struct change *change, struct error *err)
{
    json_t *ports = member_of(change->config, "ExposedPorts", json_object());
    const char *const *words = word_list(change->mem, change->text);

    for (size_t i = 0; words[i] != NULL; i++)
        if (expose(ports, change->mem, words[i], err) < 0)
            return -1;
    return 0;
}

/* HEALTHCHECK NONE, or HEALTHCHECK [--interval=… …] CMD command. */
static int change_healthcheck(struct change *change, struct error *err)
{
    cleanup_json json_t *health = json_object();
    const char *rest = change->text;

    while (strncmp(rest, "--", 2) == 0) {
        size_t length = strcspn(rest, " \t");
        const char *flag = arena_strndup(change->mem, rest + 2, length - 2);
        const char *equals = strchr(flag, '=');
        if (equals == NULL)
            return fail(err, ERR_INVALID, "HEALTHCHECK flag --%s has no value", flag);
        struct word word = { arena_strndup(change->mem, flag, (size_t)(equals - flag)),
                             equals + 1 };
        if (health_flag(health, &word, err) < 0)
            return -1;
        rest += length;
        rest += strspn(rest, " \t");
    }
    size_t length = strcspn(rest, " \t");
    const char *kind = arena_strndup(change->mem, rest, length);
    const char *command = word_trim(change->mem, rest + length);
    json_t *test = json_array();
    json_set(health, "Test", test);
    if (strcasecmp(kind, "NONE") == 0 && *command == '\0') {
        (void)json_array_append_new(test, json_string("NONE")); /* fails only for want of memory */
    } else if (strcasecmp(kind, "CMD") == 0 && *command != '\0') {
        cleanup_json json_t *list = array_of(command);
        (void)json_array_append_new(test, json_string(list != NULL ? "CMD" : "CMD-SHELL"));
        if (list != NULL)
            (void)json_array_extend(test, list);
        else
            (void)json_array_append_new(test, json_text(command));
    } else {
        return fail(err, ERR_INVALID, "HEALTHCHECK needs NONE or CMD and a command");
    }
    json_set(change->config, "Healthcheck", json_incref(health));
    return 0;
}

static int change_label(struct change *change, struct error *err)
{
    json_t *labels = member_of(change->config, "Labels", json_object());
    const struct word *words;
    size_t count;

    if (word_pairs(change->mem, "LABEL", change->text, &words, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        json_set(labels, words[i].key, json_text(words[i].value));
    return 0;
}

static int change_onbuild(struct change *change, struct error *err)
{
    json_t *list = member_of(change->config, "OnBuild", json_array());

    (void)err; /* it is for a later build to judge */
    (void)json_array_append_new(list, json_text(change->text));
    return 0;
}

static int change_stopsignal(struct change *change, struct error *err)
{
    if (strpbrk(change->text, " \t") != NULL)
        return fail(err, ERR_INVALID, "STOPSIGNAL requires exactly one argument");
    json_set(change->config, "StopSignal", json_text(change->text));
    return 0;
}

static int change_user(struct change *change, struct error *err)
{
    if (strpbrk(change->text, " \t") != NULL)
        return fail(err, ERR_INVALID, "USER requires exactly one argument");
    json_set(change->config, "User", json_text(change->text));
    return 0;
}

static int change_volume(struct change *change, struct error *err)
{
    json_t *volumes = member_of(change->config, "Volumes", json_object());
    cleanup_json json_t *list = array_of(change->text);
    const char *const *words = word_list(change->mem, change->text);

    for (size_t i = 0; list != NULL && i < json_array_size(list); i++)
        json_set(volumes, json_string_value(json_array_get(list, i)), json_object());
    for (size_t i = 0; list == NULL && words[i] != NULL; i++)
        json_set(volumes, words[i], json_object());
    if (json_object_get(volumes, "") != NULL)
        return fail(err, ERR_INVALID, "VOLUME specified can not be an empty string");
    return 0;
}

static int change_workdir(struct change *change, struct error *err)
{
    const char *present = "/";

    if (json_get_text(change->config, "WorkingDir", change->mem, &present, err) < 0)
        return -1;
    const char *path = change->text[0] == '/'
                           ? change->text
                           : arena_printf(change->mem, "%s/%s", present, change->text);
    json_set(change->config, "WorkingDir", json_text(path_clean(change->mem, path)));
    return 0;
}

/* A JSON array is taken as it is, other text is a shell's. */
static json_t *command_of(const char *text)
{
    json_t *list = array_of(text);

    if (list != NULL)
        return list;
    list = json_array();
    (void)json_array_append_new(list, json_string("/bin/sh")); /* these fail only for want of */
    (void)json_array_append_new(list, json_string("-c"));      /* memory */
    (void)json_array_append_new(list, json_text(text));
    return list;
}

/* NULL unless 'text' is an array of strings. */
static json_t *array_of(const char *text)
{
    struct error ignored;
    json_t *list = text[0] == '[' ? json_read(text, strlen(text), &ignored) : NULL;
    bool is_texts = json_is_array(list);

    for (size_t i = 0; is_texts && i < json_array_size(list); i++)
        is_texts = json_is_string(json_array_get(list, i));
    if (is_texts)
        return list;
    json_decref(list);
    return NULL;
}

static void set_env(json_t *env, struct arena *mem, const char *key, const char *value)
{
    json_t *item = json_text(arena_printf(mem, "%s=%s", key, value));
    size_t length = strlen(key);

    for (size_t i = 0; i < json_array_size(env); i++) {
        const char *old = json_string_value(json_array_get(env, i));
        if (old != NULL && strncmp(old, key, length) == 0 && old[length] == '=') {
            (void)json_array_set_new(env, i, item); /* fails only for a wrong index */
            return;
        }
    }
    (void)json_array_append_new(env, item);
}

/* "80", "80/udp", "8000-8010/tcp". */
static int expose(json_t *ports, struct arena *mem, const char *word, struct error *err)
{
    const char *slash = strchr(word, '/');
    const char *protocol = slash != NULL ? slash + 1 : "tcp";
    char *range = arena_strndup(mem, word, slash != NULL ? (size_t)(slash - word) : strlen(word));
    char *dash = strchr(range, '-');
    int64_t first;
    int64_t last;

    if (dash != NULL)
        *dash = '\0';
    if (units_parse_int(range, &first) < 0 ||
        units_parse_int(dash != NULL ? dash + 1 : range, &last) < 0 || first < 1 || last < first ||
        last > PORT_MAX)
        return fail(err, ERR_INVALID, "Invalid containerPort: %s", word);
    if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0 &&
        strcmp(protocol, "sctp") != 0)
        return fail(err, ERR_INVALID, "Invalid proto: %s", protocol);
    for (int64_t port = first; port <= last; port++)
        json_set(ports, arena_printf(mem, "%lld/%s", (long long)port, protocol), json_object());
    return 0;
}

static int health_flag(json_t *health, const struct word *word, struct error *err)
{
    static const struct {
        const char *flag;
        const char *member;
        bool is_duration;
    } flags[] = {
        { "interval", "Interval", true },        { "timeout", "Timeout", true },
        { "start-period", "StartPeriod", true }, { "start-interval", "StartInterval", true },
        { "retries", "Retries", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        int64_t value;
        if (strcmp(flags[i].flag, word->key) != 0)
            continue;
        int rc = flags[i].is_duration ? units_parse_duration(word->value, &value)
                                      : units_parse_int(word->value, &value);
        if (rc < 0 || value < 0)
            return fail(err, ERR_INVALID, "HEALTHCHECK flag --%s has a bad value '%s'", word->key,
                        word->value);
        json_set(health, flags[i].member, json_integer(value));
        return 0;
    }
    return fail(err, ERR_INVALID, "Unknown flag: %s", word->key);
}

/* The member, made 'fresh' when absent or null.  Borrowed. */
static json_t *member_of(json_t *config, const char *name, json_t *fresh)
{
    json_t *present = json_object_get(config, name);

    if (present != NULL && json_typeof(present) == json_typeof(fresh)) {
        json_decref(fresh);
        return present;
    }
    json_set(config, name, fresh);
    return fresh;
}
