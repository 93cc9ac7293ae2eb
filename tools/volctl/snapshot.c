/* SPDX-License-Identifier: Apache-2.0 */
/* volctl snapshot. */
#include "output.h"
#include "url.h"
#include "verbs.h"

static int snapshot_path(struct command *command, const char *word, const char **path,
                         struct error *err);
static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err);
static int remove_one(struct command *command, const char *word, struct outcome *outcome,
                      struct error *err);
static const char *pause_text(struct arena *mem, const json_t *snapshot);
static void print_list(const struct command *command, const json_t *list);

int cmd_snapshot_create(struct command *command, struct error *err)
{
    cleanup_json json_t *snapshot = NULL;
    cleanup_json json_t *body = json_object();
    json_t *labels = args_pairs(&command->args, "label");
    int64_t timeout_ms = 0;
    const char *volume;
    const char *name;

    if (labels != NULL)
        json_set(body, "labels", labels);
    if (split_snapshot(command->mem, command->args.words[0], false, &volume, &name, err) < 0 ||
        args_duration_ms(&command->args, "freeze-timeout", &timeout_ms, err) < 0)
        return -1;
    if (name != NULL)
        json_set(body, "name", json_text(name));
    if (timeout_ms > 0)
        json_set(body, "freeze_timeout_ms", json_integer(timeout_ms));
    const char *path = URL(command->mem, "/volumed/v1/volumes/{}/snapshots", volume);
    if (command_ask(command, "POST", path, json_incref(body), &snapshot, err) < 0)
        return -1;
    if (command->is_json) {
        output_json(snapshot);
        return 0;
    }
    output_line("%s@%s", cell_text(snapshot, "volume"), cell_text(snapshot, "name"));
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

static const char *pause_text(struct arena *mem, const json_t *snapshot)
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
