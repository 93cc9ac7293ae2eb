/* SPDX-License-Identifier: Apache-2.0 */
/* volctl set, and making sets for `volctl snapshot create --set`. */
#include "set.h"

#include <stdio.h>

#include "output.h"
#include "url.h"
#include "verbs.h"

static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err);
static int remove_one(struct command *command, const char *word, struct outcome *outcome,
                      struct error *err);
static void print_members(const json_t *set);
static const char *volumes_text(struct arena *mem, const json_t *set);

int set_create(struct command *command, json_t *body, struct error *err)
{
    cleanup_json json_t *set = NULL;
    json_t *volumes = json_array();
    json_t *containers = args_list(&command->args, "container");

    for (int i = 0; i < command->args.word_count; i++)
        json_add(volumes, json_text(command->args.words[i]));
    json_set(body, "volumes", volumes);
    if (containers != NULL)
        json_set(body, "containers", containers);
    json_set(body, "name", json_text(args_get(&command->args, "set")));
    if (command_ask(command, "POST", "/volumed/v1/sets", json_incref(body), &set, err) < 0)
        return -1;
    if (command->is_json) {
        output_json(set);
        return 0;
    }
    print_members(set);
    output_warnings(command, set);
    output_note(command, "fence %s, writers stood still for %s", cell_text(set, "fence"),
                pause_text(command->mem, set));
    return 0;
}

void output_warnings(const struct command *command, const json_t *answer)
{
    size_t index;
    json_t *warning;
    bool is_partial =
        json_object_get(answer, "fence") != NULL && cell_text(answer, "fence")[0] == 'p';

    if (command->is_quiet)
        return;
    if (is_partial)
        (void)fprintf(stderr,
                      "volctl: warning: the fence was partial, not all writers stood still\n");
    json_array_foreach(json_object_get(answer, "warnings"), index, warning)
    {
        (void)fprintf(stderr, "volctl: warning: %s\n", json_string_value(warning));
    }
}

int cmd_set_ls(struct command *command, struct error *err)
{
    static const char *const titles[] = { "SET",   "CREATED", "REASON", "FENCE",
                                          "PAUSE", "VOLUMES", NULL };
    cleanup_json json_t *answer = NULL;
    struct arena *mem = command->mem;
    struct table table;
    size_t index;
    json_t *set;

    if (command_ask(command, "GET", "/volumed/v1/sets", NULL, &answer, err) < 0)
        return -1;
    const json_t *list = json_object_get(answer, "sets");
    if (command->is_json) {
        output_json(list);
        return 0;
    }
    table_begin(&table, mem, titles);
    json_array_foreach(list, index, set)
    {
        if (command->is_quiet) {
            output_line("%s", cell_text(set, "name"));
            continue;
        }
        table_cell(&table, cell_text(set, "name"));
        table_cell(&table, cell_ago_ms(mem, set, "created_ms"));
        table_cell(&table, cell_text(set, "reason"));
        table_cell(&table, cell_text(set, "fence"));
        table_cell(&table, pause_text(mem, set));
        table_cell(&table, volumes_text(mem, set));
    }
    if (!command->is_quiet)
        table_print(&table);
    return 0;
}

int cmd_set_inspect(struct command *command, struct error *err)
{
    return command_each(command, inspect_one, err);
}

int cmd_set_rm(struct command *command, struct error *err)
{
    return command_each(command, remove_one, err);
}

int cmd_set_rollback(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    const char *name = command->args.words[0];
    bool is_dry_run = args_has(&command->args, "dry-run");
    json_t *body = json_object();

    json_set(body, "dry_run", json_boolean(is_dry_run));
    if (command_ask(command, "POST", URL(command->mem, "/volumed/v1/sets/{}/rollback", name), body,
                    &answer, err) < 0)
        return -1;
    const json_t *safety = json_object_get(answer, "safety");
    if (command->is_json)
        output_json(answer);
    else if (is_dry_run)
        output_line("would roll back set %s", name);
    else
        output_line("%s", cell_text(safety, "name"));
    if (!is_dry_run)
        output_note(command, "what the volumes held is set %s now", cell_text(safety, "name"));
    return 0;
}

int cmd_set_clone(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    json_t *labels = args_pairs(&command->args, "label");
    static const char *const texts[] = { "prefix", "suffix", "pool" };
    json_t *body = json_object();
    size_t index;
    json_t *volume;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (args_has(&command->args, texts[i]))
            json_set(body, texts[i], json_text(args_get(&command->args, texts[i])));
    if (labels != NULL)
        json_set(body, "labels", labels);
    const char *path = URL(command->mem, "/volumed/v1/sets/{}/clone", command->args.words[0]);
    if (command_ask(command, "POST", path, body, &answer, err) < 0)
        return -1;
    const json_t *list = json_object_get(answer, "volumes");
    if (command->is_json) {
        output_json(list);
        return 0;
    }
    json_array_foreach(list, index, volume)
    {
        output_line("%s", cell_text(volume, "name"));
    }
    return 0;
}

static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err)
{
    const char *path = URL(command->mem, "/volumed/v1/sets/{}", word);

    if (command_ask(command, "GET", path, NULL, &outcome->json, err) < 0)
        return -1;
    if (!command->is_json && !command->is_quiet)
        output_members(outcome->json);
    return 0;
}

static int remove_one(struct command *command, const char *word, struct outcome *outcome,
                      struct error *err)
{
    bool is_dry_run = args_has(&command->args, "dry-run");
    const char *path = URL(command->mem, "/volumed/v1/sets/{}", word);

    path = url_add(command->mem, path, "dry_run", is_dry_run ? "true" : NULL);
    path = url_add(command->mem, path, "now", args_has(&command->args, "now") ? "true" : NULL);
    if (command_ask(command, "DELETE", path, NULL, &outcome->json, err) < 0)
        return -1;
    outcome->text = is_dry_run ? arena_printf(command->mem, "would remove %s", word) : word;
    return 0;
}

static void print_members(const json_t *set)
{
    size_t index;
    json_t *member;

    json_array_foreach(json_object_get(set, "members"), index, member)
    {
        output_line("%s@%s", cell_text(member, "volume"), cell_text(member, "name"));
    }
}

static const char *volumes_text(struct arena *mem, const json_t *set)
{
    const char *text = "";
    size_t index;
    json_t *member;

    json_array_foreach(json_object_get(set, "members"), index, member)
    {
        text = arena_printf(mem, "%s%s%s", text, index > 0 ? "," : "", cell_text(member, "volume"));
    }
    return json_is_true(json_object_get(set, "whole")) ? text
                                                       : arena_printf(mem, "%s (not whole)", text);
}
