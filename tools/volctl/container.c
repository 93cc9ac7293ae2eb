/* SPDX-License-Identifier: Apache-2.0 */
/* volctl container: looking at containers and their lives.  Streams have files of their own. */
#include <string.h>

#include "output.h"
#include "url.h"
#include "verbs.h"

static const char *list_path(const struct command *command, struct error *err);
static void print_list(const struct command *command, const json_t *list);
static const char *replica(struct arena *mem, const json_t *labels);
static const char *container_name(const json_t *container);
static const char *attachment_source(struct arena *mem, const json_t *item);
static const char *attachment_mode(const json_t *item);
static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err);
static int post(struct command *command, const char *word, const char *pattern,
                struct outcome *outcome, struct error *err);
static int start_one(struct command *command, const char *word, struct outcome *outcome,
                     struct error *err);
static int stop_one(struct command *command, const char *word, struct outcome *outcome,
                    struct error *err);
static int restart_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err);
static int kill_one(struct command *command, const char *word, struct outcome *outcome,
                    struct error *err);
static int pause_one(struct command *command, const char *word, struct outcome *outcome,
                     struct error *err);
static int unpause_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err);
static int wait_one(struct command *command, const char *word, struct outcome *outcome,
                    struct error *err);
static int remove_one(struct command *command, const char *word, struct outcome *outcome,
                      struct error *err);

int cmd_container_ls(struct command *command, struct error *err)
{
    cleanup_json json_t *list = NULL;
    const char *path = list_path(command, err);

    if (path == NULL || command_ask(command, "GET", path, NULL, &list, err) < 0)
        return -1;
    if (command->is_json)
        output_json(list);
    else
        print_list(command, list);
    return 0;
}

int cmd_container_inspect(struct command *command, struct error *err)
{
    return command_each(command, inspect_one, err);
}

int cmd_container_attachments(struct command *command, struct error *err)
{
    static const char *const titles[] = { "VOLUME", "DESTINATION", "MODE", "SUBPATH", NULL };
    cleanup_json json_t *answer = NULL;
    struct table table;
    size_t index;
    json_t *item;

    const char *path =
        URL(command->mem, "/volumed/v1/containers/{}/attachments", command->args.words[0]);
    if (command_ask(command, "GET", path, NULL, &answer, err) < 0)
        return -1;
    const json_t *list = json_object_get(answer, "attachments");
    if (command->is_json) {
        output_json(list);
        return 0;
    }
    table_begin(&table, command->mem, titles);
    json_array_foreach(list, index, item)
    {
        if (command->is_quiet) {
            output_line("%s", cell_text(item, "volume"));
            continue;
        }
        table_cell(&table, attachment_source(command->mem, item));
        table_cell(&table, cell_text(item, "destination"));
        table_cell(&table, attachment_mode(item));
        table_cell(&table, cell_text(item, "subpath"));
    }
    if (!command->is_quiet)
        table_print(&table);
    return 0;
}

/* VOLUME or VOLUME@SNAPSHOT */
static const char *attachment_source(struct arena *mem, const json_t *item)
{
    const char *volume = cell_text(item, "volume");
    const char *snapshot = json_string_value(json_object_get(item, "snapshot"));

    return snapshot == NULL ? volume : arena_printf(mem, "%s@%s", volume, snapshot);
}

static const char *attachment_mode(const json_t *item)
{
    if (json_is_true(json_object_get(item, "scratch")))
        return "scratch";
    bool is_held = json_is_true(json_object_get(item, "read_only")) &&
                   strcmp(cell_text(item, "mode"), "ro") != 0;
    return is_held ? "ro (held)" : cell_text(item, "mode");
}

int cmd_container_start(struct command *command, struct error *err)
{
    return command_each(command, start_one, err);
}

int cmd_container_stop(struct command *command, struct error *err)
{
    return command_each(command, stop_one, err);
}

int cmd_container_restart(struct command *command, struct error *err)
{
    return command_each(command, restart_one, err);
}

int cmd_container_kill(struct command *command, struct error *err)
{
    return command_each(command, kill_one, err);
}

int cmd_container_pause(struct command *command, struct error *err)
{
    return command_each(command, pause_one, err);
}

int cmd_container_unpause(struct command *command, struct error *err)
{
    return command_each(command, unpause_one, err);
}

int cmd_container_wait(struct command *command, struct error *err)
{
    return command_each(command, wait_one, err);
}

int cmd_container_rename(struct command *command, struct error *err)
{
    const char *name = command->args.words[1];
    const char *path =
        URL(command->mem, DOCKER_API "/containers/{}/rename?name={}", command->args.words[0], name);

    if (command_ask(command, "POST", path, NULL, NULL, err) < 0)
        return -1;
    if (command->is_json) {
        cleanup_json json_t *json = json_pack("{s:s}", "container", name);
        output_json(json);
    } else if (!command->is_quiet) {
        output_line("%s", name);
    }
    return 0;
}

int cmd_container_rm(struct command *command, struct error *err)
{
    return command_each(command, remove_one, err);
}

static const char *list_path(const struct command *command, struct error *err)
{
    const char *path = DOCKER_API "/containers/json";
    cleanup_json json_t *filters = NULL;

    if (args_filters(&command->args, &filters, err) < 0)
        return NULL;
    path = url_add(command->mem, path, "all", args_has(&command->args, "all") ? "1" : NULL);
    path = url_add(command->mem, path, "limit", args_get(&command->args, "last"));
    return url_add(command->mem, path, "filters",
                   filters != NULL ? json_write(command->mem, filters) : NULL);
}

static void print_list(const struct command *command, const json_t *list)
{
    static const char *const titles[] = { "CONTAINER ID", "NAME",    "IMAGE", "STATUS",
                                          "CREATED",      "REPLICA", NULL };
    struct table table;
    size_t index;
    json_t *container;

    table_begin(&table, command->mem, titles);
    json_array_foreach(list, index, container)
    {
        const char *id = cell_text(container, "Id");
        if (command->is_quiet) {
            output_line("%.12s", id);
            continue;
        }
        table_cell(&table, arena_strndup(command->mem, id, 12));
        table_cell(&table, container_name(container));
        table_cell(&table, cell_text(container, "Image"));
        table_cell(&table, cell_text(container, "Status"));
        table_cell(&table, cell_ago_s(command->mem, container, "Created"));
        table_cell(&table, replica(command->mem, json_object_get(container, "Labels")));
    }
    if (!command->is_quiet)
        table_print(&table);
}

/* "2 of web (gold)"; NULL: it is none. */
static const char *replica(struct arena *mem, const json_t *labels)
{
    const char *name = cell_text(labels, "volumed.replica");
    const char *of = cell_text(labels, "volumed.replica.of");
    const char *source = cell_text(labels, "volumed.replica.source");

    if (name == NULL || of == NULL || source == NULL || strlen(name) <= strlen(of))
        return NULL;
    return arena_printf(mem, "%s of %s (%s)", name + strlen(of) + 1, of, source);
}

static const char *container_name(const json_t *container)
{
    const char *name = json_string_value(json_array_get(json_object_get(container, "Names"), 0));

    return name != NULL && name[0] == '/' ? name + 1 : name;
}

/* Docker's shape, as JSON with and without --json: it is nested too deep for lines. */
static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err)
{
    const char *path = URL(command->mem, DOCKER_API "/containers/{}/json", word);

    if (command_ask(command, "GET", path, NULL, &outcome->json, err) < 0)
        return -1;
    if (!command->is_json && !command->is_quiet)
        output_json(outcome->json);
    return 0;
}

/* 'pattern' has a {} for the container; --time and --signal go along where given. */
static int post(struct command *command, const char *word, const char *pattern,
                struct outcome *outcome, struct error *err)
{
    const char *path = url_add(command->mem, pattern, "t", args_get(&command->args, "time"));

    path = url_add(command->mem, path, "signal", args_get(&command->args, "signal"));
    int status = command_ask(command, "POST", URL(command->mem, path, word), NULL, NULL, err);
    if (status < 0)
        return -1;
    outcome->text = word;
    outcome->json = json_pack("{s:s, s:b}", "container", word, "changed", status != 304);
    return 0;
}

static int start_one(struct command *command, const char *word, struct outcome *outcome,
                     struct error *err)
{
    return post(command, word, DOCKER_API "/containers/{}/start", outcome, err);
}

static int stop_one(struct command *command, const char *word, struct outcome *outcome,
                    struct error *err)
{
    return post(command, word, DOCKER_API "/containers/{}/stop", outcome, err);
}

static int restart_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err)
{
    return post(command, word, DOCKER_API "/containers/{}/restart", outcome, err);
}

static int kill_one(struct command *command, const char *word, struct outcome *outcome,
                    struct error *err)
{
    return post(command, word, DOCKER_API "/containers/{}/kill", outcome, err);
}

static int pause_one(struct command *command, const char *word, struct outcome *outcome,
                     struct error *err)
{
    return post(command, word, DOCKER_API "/containers/{}/pause", outcome, err);
}

static int unpause_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err)
{
    return post(command, word, DOCKER_API "/containers/{}/unpause", outcome, err);
}

static int wait_one(struct command *command, const char *word, struct outcome *outcome,
                    struct error *err)
{
    cleanup_json json_t *answer = NULL;
    const char *path = URL(command->mem, DOCKER_API "/containers/{}/wait", word);

    if (command_ask(command, "POST", path, NULL, &answer, err) < 0)
        return -1;
    outcome->text = cell_int(command->mem, answer, "StatusCode");
    outcome->json = json_pack("{s:s, s:I}", "container", word, "exit_code",
                              json_integer_value(json_object_get(answer, "StatusCode")));
    return 0;
}

static int remove_one(struct command *command, const char *word, struct outcome *outcome,
                      struct error *err)
{
    bool is_forced = args_has(&command->args, "force");
    const char *path = URL(command->mem, DOCKER_API "/containers/{}", word);

    path = url_add(command->mem, path, "force", is_forced ? "1" : NULL);
    path = url_add(command->mem, path, "v", args_has(&command->args, "volumes") ? "1" : NULL);
    if (command_ask(command, "DELETE", path, NULL, NULL, err) < 0 &&
        !(is_forced && err->code == ERR_NOT_FOUND))
        return -1;
    outcome->text = word;
    outcome->json = json_pack("{s:s}", "container", word);
    return 0;
}
