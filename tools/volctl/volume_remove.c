/* SPDX-License-Identifier: Apache-2.0 */
/* volctl volume rm, prune, rollback: what takes data away, each with a dry run. */
#include "base/units.h"
#include "output.h"
#include "url.h"
#include "verbs.h"

static int remove_one(struct command *command, const char *word, struct outcome *outcome,
                      struct error *err);
static json_t *prune_body(const struct command *command, struct error *err);
static void print_pruned(const struct command *command, const json_t *answer);

int cmd_volume_rm(struct command *command, struct error *err)
{
    return command_each(command, remove_one, err);
}

int cmd_volume_prune(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    json_t *body = prune_body(command, err);

    if (body == NULL ||
        command_ask(command, "POST", "/volumed/v1/volumes/prune", body, &answer, err) < 0)
        return -1;
    if (command->is_json)
        output_json(answer);
    else
        print_pruned(command, answer);
    return 0;
}

int cmd_volume_rollback(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    bool is_dry_run = args_has(&command->args, "dry-run");
    const char *volume;
    const char *snapshot;

    if (split_snapshot(command->mem, command->args.words[0], true, &volume, &snapshot, err) < 0)
        return -1;
    const char *path = URL(command->mem, "/volumed/v1/volumes/{}/rollback", volume);
    json_t *body = json_pack("{s:s, s:b}", "snapshot", snapshot, "dry_run", is_dry_run);
    if (command_ask(command, "POST", path, body, &answer, err) < 0)
        return -1;
    const char *safety = cell_text(json_object_get(answer, "safety"), "name");
    if (command->is_json)
        output_json(answer);
    else if (is_dry_run && !command->is_quiet)
        output_line("%s could be rolled back to %s", volume, snapshot);
    else if (!is_dry_run && command->is_quiet)
        output_line("%s@%s", volume, safety);
    else if (!is_dry_run)
        output_line("%s is as in %s; what it held before is %s@%s", volume, snapshot, volume,
                    safety);
    return 0;
}

static int remove_one(struct command *command, const char *word, struct outcome *outcome,
                      struct error *err)
{
    struct arena *mem = command->mem;
    bool is_dry_run = args_has(&command->args, "dry-run");
    const char *path = URL(mem, "/volumed/v1/volumes/{}", word);

    path = url_add(mem, path, "force", args_has(&command->args, "force") ? "true" : NULL);
    path = url_add(mem, path, "with_snapshots",
                   args_has(&command->args, "with-snapshots") ? "true" : NULL);
    path = url_add(mem, path, "now", args_has(&command->args, "now") ? "true" : NULL);
    path = url_add(mem, path, "dry_run", is_dry_run ? "true" : NULL);
    if (command_ask(command, "DELETE", path, NULL, &outcome->json, err) < 0)
        return -1;
    size_t snapshots = json_array_size(json_object_get(outcome->json, "snapshots"));
    outcome->text = !is_dry_run      ? word
                    : snapshots == 0 ? arena_printf(mem, "would remove %s", word)
                                     : arena_printf(mem, "would remove %s and %zu of its snapshots",
                                                    word, snapshots);
    return 0;
}

static json_t *prune_body(const struct command *command, struct error *err)
{
    json_t *body = json_pack("{s:b, s:b}", "dry_run", args_has(&command->args, "dry-run"), "now",
                             args_has(&command->args, "now"));
    json_t *filters;

    if (args_filters(&command->args, &filters, err) < 0) {
        json_decref(body);
        return NULL;
    }
    if (args_has(&command->args, "all")) {
        filters = filters != NULL ? filters : json_object();
        json_set(filters, "all", json_pack("[s]", "true"));
    }
    if (filters != NULL)
        json_set(body, "filters", filters);
    return body;
}

static void print_pruned(const struct command *command, const json_t *answer)
{
    bool is_dry_run = json_is_true(json_object_get(answer, "dry_run"));
    char size[UNITS_TEXT_SIZE];
    size_t index;
    json_t *name;

    json_array_foreach(json_object_get(answer, "volumes"), index, name)
    {
        output_line("%s", json_string_value(name));
    }
    if (command->is_quiet)
        return;
    int64_t trashed = json_integer_value(json_object_get(answer, "trashed_bytes"));
    units_format_size(json_integer_value(json_object_get(answer, "reclaimed_bytes")), size);
    output_line("%s %s", is_dry_run ? "would reclaim" : "reclaimed", size);
    units_format_size(trashed, size);
    if (trashed > 0)
        output_line("%s in the trash until it expires or is purged", size);
}
