/* SPDX-License-Identifier: Apache-2.0 */
/* volctl snapshot. */
#include <string.h>

#include "output.h"
#include "set.h"
#include "url.h"
#include "verbs.h"

static json_t *cut_body(struct command *command, struct error *err);
static int add_hooks(struct command *command, json_t *body, struct error *err);
static int create_one(struct command *command, json_t *body, struct error *err);
static int snapshot_path(struct command *command, const char *word, const char **path,
                         struct error *err);
static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err);
static int remove_one(struct command *command, const char *word, struct outcome *outcome,
                      struct error *err);
static void print_list(const struct command *command, const json_t *list);

int cmd_snapshot_create(struct command *command, struct error *err)
{
    const struct args *args = &command->args;
    bool is_set = args_has(args, "set");

    if (!is_set && (args->word_count != 1 || args_has(args, "container")))
        return fail(err, ERR_INVALID, "give one volume, or --set NAME with volumes or --container");
    cleanup_json json_t *body = cut_body(command, err);
    if (body == NULL)
        return -1;
    return is_set ? set_create(command, body, err) : create_one(command, body, err);
}

/* What a single snapshot and a set have in common. */
static json_t *cut_body(struct command *command, struct error *err)
{
    const struct args *args = &command->args;
    cleanup_json json_t *body = json_object();
    json_t *labels = args_pairs(args, "label");
    int64_t freeze_ms = 0;
    int64_t hook_ms = 0;

    if (labels != NULL)
        json_set(body, "labels", labels);
    if (args_duration_ms(args, "freeze-timeout", &freeze_ms, err) < 0 ||
        args_duration_ms(args, "hook-timeout", &hook_ms, err) < 0 ||
        add_hooks(command, body, err) < 0)
        return NULL;
    if (freeze_ms > 0)
        json_set(body, "freeze_timeout_ms", json_integer(freeze_ms));
    if (hook_ms > 0)
        json_set(body, "hook_timeout_ms", json_integer(hook_ms));
    if (args_has(args, "no-hooks"))
        json_set(body, "no_hooks", json_true());
    return json_incref(body);
}

/* "--hook-before CONTAINER=COMMAND" */
static int add_hooks(struct command *command, json_t *body, struct error *err)
{
    static const char *const options[][2] = { { "hook-before", "before" },
                                              { "hook-after", "after" } };
    json_t *hooks = json_object();

    json_set(body, "hooks", hooks);
    for (size_t o = 0; o < ARRAY_SIZE(options); o++) {
        const char *text;
        for (int i = 0; (text = args_nth(&command->args, options[o][0], i)) != NULL; i++) {
            const char *equals = strchr(text, '=');
            if (equals == NULL || equals == text || equals[1] == '\0')
                return fail(err, ERR_INVALID, "--%s takes CONTAINER=COMMAND, not '%s'",
                            options[o][0], text);
            const char *name = arena_strndup(command->mem, text, (size_t)(equals - text));
            if (json_object_get(hooks, name) == NULL)
                json_set(hooks, name, json_object());
            json_set(json_object_get(hooks, name), options[o][1], json_text(equals + 1));
        }
    }
    return 0;
}

static int create_one(struct command *command, json_t *body, struct error *err)
{
    cleanup_json json_t *snapshot = NULL;
    const char *volume;
    const char *name;

    if (split_snapshot(command->mem, command->args.words[0], false, &volume, &name, err) < 0)
        return -1;
    if (name != NULL)
        json_set(body, "name", json_text(name));
    const char *path = URL(command->mem, "/volumed/v1/volumes/{}/snapshots", volume);
    if (command_ask(command, "POST", path, json_incref(body), &snapshot, err) < 0)
        return -1;
    if (command->is_json) {
        output_json(snapshot);
        return 0;
    }
    output_line("%s@%s", cell_text(snapshot, "volume"), cell_text(snapshot, "name"));
    output_warnings(command, snapshot);
    output_note(command, "fence %s, writers stood still for %s, cost %s",
                cell_text(snapshot, "fence"), pause_text(command->mem, snapshot),
                cell_text(snapshot, "cost"));
    return 0;
}

int cmd_snapshot_ls(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    const char *volume = command->args.words[0];
    const char *path = volume == NULL
                           ? "/volumed/v1/snapshots"
                           : URL(command->mem, "/volumed/v1/volumes/{}/snapshots", volume);

    if (command_ask(command, "GET", path, NULL, &answer, err) < 0)
        return -1;
    const json_t *list = json_object_get(answer, "snapshots");
    if (command->is_json)
        output_json(list);
    else
        print_list(command, list);
    return 0;
}

int cmd_snapshot_inspect(struct command *command, struct error *err)
{
    return command_each(command, inspect_one, err);
}

int cmd_snapshot_rm(struct command *command, struct error *err)
{
    return command_each(command, remove_one, err);
}

static int snapshot_path(struct command *command, const char *word, const char **path,
                         struct error *err)
{
    const char *volume;
    const char *name;

    if (split_snapshot(command->mem, word, true, &volume, &name, err) < 0)
        return -1;
    *path = URL(command->mem, "/volumed/v1/volumes/{}/snapshots/{}", volume, name);
    return 0;
}

static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err)
{
    const char *path;

    if (snapshot_path(command, word, &path, err) < 0 ||
        command_ask(command, "GET", path, NULL, &outcome->json, err) < 0)
        return -1;
    if (!command->is_json && !command->is_quiet)
        output_members(outcome->json);
    return 0;
}

static int remove_one(struct command *command, const char *word, struct outcome *outcome,
                      struct error *err)
{
    bool is_dry_run = args_has(&command->args, "dry-run");
    const char *path;

    if (snapshot_path(command, word, &path, err) < 0)
        return -1;
    path = url_add(command->mem, path, "now", args_has(&command->args, "now") ? "true" : NULL);
    path = url_add(command->mem, path, "dry_run", is_dry_run ? "true" : NULL);
    if (command_ask(command, "DELETE", path, NULL, &outcome->json, err) < 0)
        return -1;
    outcome->text = is_dry_run ? arena_printf(command->mem, "would remove %s", word) : word;
    return 0;
}

const char *pause_text(struct arena *mem, const json_t *snapshot)
{
    double pause_ms = (double)json_integer_value(json_object_get(snapshot, "pause_ns")) / 1e6;

    return arena_printf(mem, "%.1f ms", pause_ms);
}

static void print_list(const struct command *command, const json_t *list)
{
    static const char *const titles[] = { "SNAPSHOT", "CREATED", "REASON", "FENCE", "PAUSE", NULL };
    struct arena *mem = command->mem;
    struct table table;
    size_t index;
    json_t *snapshot;

    table_begin(&table, mem, titles);
    json_array_foreach(list, index, snapshot)
    {
        const char *name =
            arena_printf(mem, "%s@%s", cell_text(snapshot, "volume"), cell_text(snapshot, "name"));
        if (command->is_quiet) {
            output_line("%s", name);
            continue;
        }
        table_cell(&table, name);
        table_cell(&table, cell_ago_ms(mem, snapshot, "created_ms"));
        table_cell(&table, cell_text(snapshot, "reason"));
        table_cell(&table, cell_text(snapshot, "fence"));
        table_cell(&table, pause_text(mem, snapshot));
    }
    if (!command->is_quiet)
        table_print(&table);
}
