/* SPDX-License-Identifier: Apache-2.0 */
/* From options to Docker's Config and HostConfig. */
#include "container_shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "output.h"
#include "url.h"
#include "verbs.h"

static json_t *config_json(const struct command *command, bool is_attached);
static int set_host_config(const struct command *command, json_t *body, struct error *err);
static void set_text(json_t *object, const char *member, const struct args *args,
                     const char *option);
static void set_list(json_t *object, const char *member, const struct args *args,
                     const char *option);
static const char *bind_of(struct arena *mem, const struct args *args, const char *volume);
static void set_volumes(struct arena *mem, json_t *config, json_t *host, const struct args *args);
static void set_tmpfs(json_t *host, const struct args *args);
static int set_limits(json_t *host, const struct args *args, struct error *err);
static int set_restart(json_t *host, const struct args *args, struct error *err);
static void drop_ungiven(json_t *object);
static void tell_warnings(const json_t *answer);

int cmd_container_create(struct command *command, struct error *err)
{
    const char *id;

    if (container_make(command, false, &id, err) < 0)
        return -1;
    if (command->is_json) {
        cleanup_json json_t *json = json_pack("{s:s}", "id", id);
        output_json(json);
    } else {
        output_line("%s", id);
    }
    return 0;
}

json_t *container_body(const struct command *command, bool is_attached, struct error *err)
{
    json_t *body = config_json(command, is_attached);

    if (set_host_config(command, body, err) == 0)
        return body;
    json_decref(body);
    return NULL;
}

json_t *container_change(const struct command *command, const char *image, int words,
                         struct error *err)
{
    json_t *change = config_json(command, false);
    json_t *cmd = json_array();

    for (int i = words; i < command->args.word_count; i++)
        json_add(cmd, json_text(command->args.words[i]));
    json_set(change, "Cmd", cmd);
    json_set(change, "Image", image != NULL ? json_text(image) : json_null());
    if (set_host_config(command, change, err) < 0) {
        json_decref(change);
        return NULL;
    }
    drop_ungiven(change);
    return change;
}

int container_make(const struct command *command, bool is_attached, const char **id,
                   struct error *err)
{
    cleanup_json json_t *answer = NULL;
    json_t *body = container_body(command, is_attached, err);
    const char *path = url_add(command->mem, DOCKER_API "/containers/create", "name",
                               args_get(&command->args, "name"));

    if (body == NULL || command_ask(command, "POST", path, body, &answer, err) < 0)
        return -1;
    *id = arena_strdup(command->mem, cell_text(answer, "Id"));
    if (*id == NULL)
        return fail(err, ERR_SYSTEM, "the service made a container without an id");
    if (!command->is_quiet)
        tell_warnings(answer);
    return 0;
}

static json_t *config_json(const struct command *command, bool is_attached)
{
    const struct args *args = &command->args;
    bool has_stdin = args_has(args, "interactive");
    json_t *config = json_object();
    json_t *labels = args_pairs(args, "label");
    json_t *words = json_array();

    for (int i = 1; i < args->word_count; i++)
        json_array_append_new(words, json_text(args->words[i]));
    json_set(config, "Image", json_text(args->words[0]));
    if (args->word_count > 1)
        json_set(config, "Cmd", json_incref(words));
    json_decref(words);
    json_set(config, "Tty", json_boolean(args_has(args, "tty")));
    json_set(config, "OpenStdin", json_boolean(has_stdin));
    json_set(config, "StdinOnce", json_boolean(has_stdin && is_attached));
    json_set(config, "AttachStdin", json_boolean(has_stdin && is_attached));
    json_set(config, "AttachStdout", json_boolean(is_attached));
    json_set(config, "AttachStderr", json_boolean(is_attached));
    set_list(config, "Env", args, "env");
    set_text(config, "WorkingDir", args, "workdir");
    set_text(config, "User", args, "user");
    set_text(config, "Hostname", args, "hostname");
    if (args_has(args, "entrypoint"))
        json_set(config, "Entrypoint", json_pack("[s]", args_get(args, "entrypoint")));
    if (labels != NULL)
        json_set(config, "Labels", labels);
    return config;
}

static int set_host_config(const struct command *command, json_t *body, struct error *err)
{
    const struct args *args = &command->args;
    json_t *host = json_object();

    json_set(body, "HostConfig", host);
    set_volumes(command->mem, body, host, args);
    set_list(host, "VolumesFrom", args, "volumes-from");
    set_tmpfs(host, args);
    set_text(host, "NetworkMode", args, "network");
    json_set(host, "AutoRemove", json_boolean(args_has(args, "rm")));
    json_set(host, "ReadonlyRootfs", json_boolean(args_has(args, "read-only")));
    if (args_has(args, "init"))
        json_set(host, "Init", json_true());
    if (set_limits(host, args, err) < 0)
        return -1;
    return set_restart(host, args, err);
}

static void set_text(json_t *object, const char *member, const struct args *args,
                     const char *option)
{
    if (args_has(args, option))
        json_set(object, member, json_text(args_get(args, option)));
}

static void set_list(json_t *object, const char *member, const struct args *args,
                     const char *option)
{
    json_t *list = args_list(args, option);

    if (list != NULL)
        json_set(object, member, list);
}

/* --wait-writer is for each volume that is attached for writing. */
static const char *bind_of(struct arena *mem, const struct args *args, const char *volume)
{
    const char *wait = args_get(args, "wait-writer");
    const char *path = strchr(volume, ':') + 1;
    const char *mode = strchr(path, ':');
    bool is_volume = volume[0] != '/' && strcspn(volume, "@") > strcspn(volume, ":");

    if (wait == NULL || !is_volume)
        return volume;
    if (mode == NULL)
        return arena_printf(mem, "%s:wait=%s", volume, wait);
    bool is_writer = strstr(mode, "ro") == NULL && strstr(mode, "scratch") == NULL &&
                     strstr(mode, "wait=") == NULL;
    return is_writer ? arena_printf(mem, "%s,wait=%s", volume, wait) : volume;
}

/* "-v PATH" alone is an anonymous volume. */
static void set_volumes(struct arena *mem, json_t *config, json_t *host, const struct args *args)
{
    json_t *binds = json_array();
    json_t *anonymous = json_object();
    const char *volume;

    for (int i = 0; (volume = args_nth(args, "volume", i)) != NULL; i++) {
        if (strchr(volume, ':') != NULL)
            json_array_append_new(binds, json_text(bind_of(mem, args, volume)));
        else
            json_set(anonymous, volume, json_object());
    }
    json_set(host, "Binds", binds);
    json_set(config, "Volumes", anonymous);
}

static void set_tmpfs(json_t *host, const struct args *args)
{
    json_t *tmpfs = json_object();
    const char *word;

    for (int i = 0; (word = args_nth(args, "tmpfs", i)) != NULL; i++) {
        size_t length = strcspn(word, ":");
        cleanup_json json_t *path = json_stringn(word, length); /* NULL unless UTF-8 */
        if (path != NULL)
            json_set(tmpfs, json_string_value(path),
                     json_text(word[length] == ':' ? word + length + 1 : ""));
    }
    json_set(host, "Tmpfs", tmpfs);
}

static int set_limits(json_t *host, const struct args *args, struct error *err)
{
    const char *memory = args_get(args, "memory");
    int64_t pids = 0;
    int64_t bytes;

    if (args_int(args, "pids-limit", &pids, err) < 0)
        return -1;
    if (pids > 0)
        json_set(host, "PidsLimit", json_integer(pids));
    if (memory == NULL)
        return 0;
    if (units_parse_size(memory, &bytes) < 0)
        return fail(err, ERR_INVALID, "option '--memory' takes a size like '512m', not '%s'",
                    memory);
    json_set(host, "Memory", json_integer(bytes));
    return 0;
}

static int set_restart(json_t *host, const struct args *args, struct error *err)
{
    const char *policy = args_get(args, "restart");
    int64_t count = 0;

    if (policy == NULL)
        return 0;
    size_t length = strcspn(policy, ":");
    if (policy[length] == ':' && (units_parse_int(policy + length + 1, &count) < 0 || count < 0))
        return fail(err, ERR_INVALID, "option '--restart' has no count after ':' in '%s'", policy);
    json_t *restart = json_object();
    json_set(restart, "Name", json_stringn(policy, length));
    json_set(restart, "MaximumRetryCount", json_integer(count));
    json_set(host, "RestartPolicy", restart);
    return 0;
}

static void tell_warnings(const json_t *answer)
{
    size_t index;
    json_t *warning;

    json_array_foreach(json_object_get(answer, "Warnings"), index, warning)(void)
        fprintf(stderr, "volctl: warning: %s\n", json_string_value(warning));
}

/* Options that nobody gave are false, null or empty. */
static void drop_ungiven(json_t *object)
{
    const char *key;
    void *next;
    json_t *value;

    json_object_foreach_safe(object, next, key, value)
    {
        if (json_is_object(value))
            drop_ungiven(value);
        bool is_empty = (json_is_object(value) && json_object_size(value) == 0 &&
                         strcmp(key, "/") != 0 && key[0] != '/') ||
                        (json_is_array(value) && json_array_size(value) == 0);
        if (json_is_false(value) || json_is_null(value) || is_empty)
            (void)json_object_del(object, key); /* it is there */
    }
}
