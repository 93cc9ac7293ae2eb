/* SPDX-License-Identifier: Apache-2.0 */
/* volctl policy. */
#include "output.h"
#include "url.h"
#include "verbs.h"

static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err);
static int remove_one(struct command *command, const char *word, struct outcome *outcome,
                      struct error *err);
static int run_one(struct command *command, const char *word, struct outcome *outcome,
                   struct error *err);
static void add_text(json_t *body, const char *name, const struct args *args);
static const char *time_text(struct arena *mem, const json_t *object, const char *name);
static void print_list(const struct command *command, const json_t *list);
static void print_plan(const struct command *command, const json_t *plan);
static const char *reasons_text(struct arena *mem, const json_t *snapshot);

int cmd_policy_create(struct command *command, struct error *err)
{
    cleanup_json json_t *policy = NULL;
    cleanup_json json_t *body = json_object();
    const struct args *args = &command->args;
    int64_t jitter_ms = 0;

    if (!args_has(args, "schedule"))
        return fail(err, ERR_INVALID, "give a --schedule");
    if (args_duration_ms(args, "jitter", &jitter_ms, err) < 0)
        return -1;
    json_set(body, "name", json_text(args->words[0]));
    add_text(body, "schedule", args);
    add_text(body, "keep", args);
    add_text(body, "volume", args);
    add_text(body, "label", args);
    add_text(body, "container", args);
    if (jitter_ms > 0)
        json_set(body, "jitter_ms", json_integer(jitter_ms));
    if (command_ask(command, "POST", "/volumed/v1/policies", json_incref(body), &policy, err) < 0)
        return -1;
    if (command->is_json) {
        output_json(policy);
        return 0;
    }
    output_line("%s", cell_text(policy, "name"));
    output_note(command, "first at %s", time_text(command->mem, policy, "next"));
    return 0;
}

int cmd_policy_ls(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;

    if (command_ask(command, "GET", "/volumed/v1/policies", NULL, &answer, err) < 0)
        return -1;
    const json_t *list = json_object_get(answer, "policies");
    if (command->is_json)
        output_json(list);
    else
        print_list(command, list);
    return 0;
}

int cmd_policy_inspect(struct command *command, struct error *err)
{
    return command_each(command, inspect_one, err);
}

int cmd_policy_rm(struct command *command, struct error *err)
{
    return command_each(command, remove_one, err);
}

int cmd_policy_run(struct command *command, struct error *err)
{
    return command_each(command, run_one, err);
}

int cmd_policy_plan(struct command *command, struct error *err)
{
    cleanup_json json_t *plan = NULL;
    const char *path = URL(command->mem, "/volumed/v1/policies/{}/plan", command->args.words[0]);

    if (command_ask(command, "GET", path, NULL, &plan, err) < 0)
        return -1;
    if (command->is_json)
        output_json(plan);
    else
        print_plan(command, plan);
    return 0;
}

static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err)
{
    if (command_ask(command, "GET", URL(command->mem, "/volumed/v1/policies/{}", word), NULL,
                    &outcome->json, err) < 0)
        return -1;
    if (!command->is_json && !command->is_quiet)
        output_members(outcome->json);
    return 0;
}

static int remove_one(struct command *command, const char *word, struct outcome *outcome,
                      struct error *err)
{
    outcome->text = word;
    return command_ask(command, "DELETE", URL(command->mem, "/volumed/v1/policies/{}", word), NULL,
                       &outcome->json, err) < 0
               ? -1
               : 0;
}

static int run_one(struct command *command, const char *word, struct outcome *outcome,
                   struct error *err)
{
    struct arena *mem = command->mem;

    if (command_ask(command, "POST", URL(mem, "/volumed/v1/policies/{}/run", word), NULL,
                    &outcome->json, err) < 0)
        return -1;
    outcome->text =
        arena_printf(mem, "%s: %s made, %s expired", word, cell_int(mem, outcome->json, "made"),
                     cell_int(mem, outcome->json, "expired"));
    return 0;
}

static void add_text(json_t *body, const char *name, const struct args *args)
{
    if (args_has(args, name))
        json_set(body, name, json_text(args_get(args, name)));
}

static const char *time_text(struct arena *mem, const json_t *object, const char *name)
{
    const char *text = cell_text(object, name);

    return text == NULL ? NULL : arena_printf(mem, "%.19sZ", text);
}

static void print_list(const struct command *command, const json_t *list)
{
    static const char *const titles[] = { "NAME", "FOR",  "SCHEDULE", "KEEP",
                                          "NEXT", "LAST", "FAILURES", NULL };
    struct arena *mem = command->mem;
    struct table table;
    size_t index;
    json_t *policy;

    table_begin(&table, mem, titles);
    json_array_foreach(list, index, policy)
    {
        const json_t *target = json_object_get(policy, "target");
        bool is_dormant = json_is_true(json_object_get(policy, "dormant"));
        if (command->is_quiet)
            output_line("%s", cell_text(policy, "name"));
        table_cell(&table, cell_text(policy, "name"));
        table_cell(&table, arena_printf(mem, "%s %s", cell_text(target, "kind"),
                                        cell_text(target, "name")));
        table_cell(&table, cell_text(policy, "schedule"));
        table_cell(&table, cell_text(policy, "keep"));
        table_cell(&table, is_dormant ? "in the trash" : time_text(mem, policy, "next"));
        table_cell(&table, time_text(mem, policy, "last"));
        table_cell(&table, cell_int(mem, policy, "failures"));
    }
    if (!command->is_quiet)
        table_print(&table);
}

static void print_plan(const struct command *command, const json_t *plan)
{
    static const char *const titles[] = { "SNAPSHOT", "CREATED", "", "WHY", NULL };
    struct arena *mem = command->mem;
    struct table table;
    size_t index;
    size_t i;
    json_t *target;
    json_t *snapshot;

    table_begin(&table, mem, titles);
    json_array_foreach(json_object_get(plan, "targets"), index, target)
    {
        json_array_foreach(json_object_get(target, "snapshots"), i, snapshot)
        {
            bool is_kept = json_is_true(json_object_get(snapshot, "keep"));
            if (command->is_quiet && !is_kept)
                output_line("%s", cell_text(snapshot, "name"));
            table_cell(&table, cell_text(snapshot, "name"));
            table_cell(&table, time_text(mem, snapshot, "created"));
            table_cell(&table, is_kept ? "keep" : "remove");
            table_cell(&table, reasons_text(mem, snapshot));
        }
    }
    if (!command->is_quiet)
        table_print(&table);
}

static const char *reasons_text(struct arena *mem, const json_t *snapshot)
{
    const char *text = "";
    size_t index;
    json_t *reason;

    json_array_foreach(json_object_get(snapshot, "reasons"), index, reason) text =
        arena_printf(mem, "%s%s%s", text, index > 0 ? ", " : "", json_string_value(reason));
    return text;
}
