/* SPDX-License-Identifier: Apache-2.0 */
/* volctl trash. */
#include "base/units.h"
#include "output.h"
#include "url.h"
#include "verbs.h"

static int purge_one(struct command *command, const char *word, struct outcome *outcome,
                     struct error *err);
static int purge_many(struct command *command, struct error *err);
static const char *expires_text(struct arena *mem, const json_t *entry);
static void print_list(const struct command *command, const json_t *list);

int cmd_trash_ls(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;

    if (command_ask(command, "GET", "/volumed/v1/trash", NULL, &answer, err) < 0)
        return -1;
    const json_t *list = json_object_get(answer, "trash");
    if (command->is_json)
        output_json(list);
    else
        print_list(command, list);
    return 0;
}

int cmd_trash_restore(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    const char *word = command->args.words[0];
    const char *name = args_get(&command->args, "as");
    json_t *body = json_object();

    if (name != NULL)
        json_set(body, "name", json_text(name));
    if (command_ask(command, "POST", URL(command->mem, "/volumed/v1/trash/{}/restore", word), body,
                    &answer, err) < 0)
        return -1;
    if (command->is_json)
        output_json(answer);
    else
        output_line("%s", cell_text(answer, "name"));
    return 0;
}

int cmd_trash_purge(struct command *command, struct error *err)
{
    bool has_words = command->args.word_count > 0;
    bool is_many = args_has(&command->args, "all") || args_has(&command->args, "older");

    if (has_words == is_many)
        return fail(err, ERR_INVALID, "name what is to be purged, or give --all or --older");
    return has_words ? command_each(command, purge_one, err) : purge_many(command, err);
}

static int purge_one(struct command *command, const char *word, struct outcome *outcome,
                     struct error *err)
{
    bool is_dry_run = args_has(&command->args, "dry-run");
    const char *path = URL(command->mem, "/volumed/v1/trash/{}", word);

    path = url_add(command->mem, path, "dry_run", is_dry_run ? "true" : NULL);
    if (command_ask(command, "DELETE", path, NULL, &outcome->json, err) < 0)
        return -1;
    outcome->text = is_dry_run ? arena_printf(command->mem, "would purge %s", word) : word;
    return 0;
}

static int purge_many(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    bool is_dry_run = args_has(&command->args, "dry-run");
    int64_t older_ms = 0;
    char size[UNITS_TEXT_SIZE];
    size_t index;
    json_t *name;

    if (args_duration_ms(&command->args, "older", &older_ms, err) < 0)
        return -1;
    json_t *body = json_pack("{s:I, s:b}", "older_ms", older_ms, "dry_run", is_dry_run);
    if (command_ask(command, "POST", "/volumed/v1/trash/purge", body, &answer, err) < 0)
        return -1;
    if (command->is_json) {
        output_json(answer);
        return 0;
    }
    json_array_foreach(json_object_get(answer, "purged"), index, name)
    {
        output_line("%s", json_string_value(name));
    }
    units_format_size(json_integer_value(json_object_get(answer, "reclaimed_bytes")), size);
    if (!command->is_quiet)
        output_line("%s %s", is_dry_run ? "would reclaim" : "reclaimed", size);
    return 0;
}

static const char *expires_text(struct arena *mem, const json_t *entry)
{
    const char *text = cell_text(entry, "expires");

    return text == NULL ? "-" : arena_printf(mem, "%.19sZ", text);
}

static void print_list(const struct command *command, const json_t *list)
{
    static const char *const titles[] = { "ID",      "KIND",    "NAME", "POOL", "SNAPSHOTS",
                                          "REMOVED", "EXPIRES", "SIZE", NULL };
    struct arena *mem = command->mem;
    struct table table;
    size_t index;
    json_t *entry;

    table_begin(&table, mem, titles);
    json_array_foreach(list, index, entry)
    {
        if (command->is_quiet)
            output_line("%s", cell_text(entry, "id"));
        table_cell(&table, cell_text(entry, "id"));
        table_cell(&table, cell_text(entry, "kind"));
        table_cell(&table, cell_text(entry, "name"));
        table_cell(&table, cell_text(entry, "pool"));
        table_cell(&table, cell_int(mem, entry, "snapshots"));
        table_cell(&table, cell_ago_ms(mem, entry, "removed_ms"));
        table_cell(&table, expires_text(mem, entry));
        table_cell(&table, cell_size(mem, entry, "used_bytes"));
    }
    if (!command->is_quiet)
        table_print(&table);
}
