/* SPDX-License-Identifier: Apache-2.0 */
/* volctl container scale and replicas. */
#include <poll.h>
#include <string.h>

#include "base/units.h"
#include "output.h"
#include "url.h"
#include "verbs.h"

#define LOOK_MS     100
#define EXIT_FAILED 1

static int follow(struct command *command, json_t **scaling, struct error *err);
static int conclude(const struct command *command, const json_t *scaling);
static void print_names(const json_t *report, const char *key, const char *what);
static void print_replicas(const struct command *command, const json_t *list);
static const char *join(struct arena *mem, const json_t *list);

int cmd_container_scale(struct command *command, struct error *err)
{
    const struct args *args = &command->args;
    json_t *scaling = NULL;
    int64_t replicas;

    if (units_parse_int(args->words[1], &replicas) < 0 || replicas < 0)
        return fail(err, ERR_INVALID, "'%s' is not a number of replicas", args->words[1]);
    json_t *body = json_pack("{sI sb sb}", "replicas", (json_int_t)replicas, "refresh",
                             args_has(args, "refresh"), "dry_run", args_has(args, "dry-run"));
    if (args_has(args, "from-snapshot"))
        json_set(body, "from_snapshot", json_text(args_get(args, "from-snapshot")));
    if (args_has(args, "size"))
        json_set(body, "size", json_text(args_get(args, "size")));
    json_t *keep = args_list(args, "keep");
    if (keep != NULL)
        json_set(body, "keep", keep);
    const char *path = URL(command->mem, "/volumed/v1/containers/{}/scale", args->words[0]);
    if (command_ask(command, "POST", path, body, &scaling, err) < 0)
        return -1;
    int status = 0;
    if (!args_has(args, "dry-run") && !args_has(args, "detach"))
        status = follow(command, &scaling, err);
    if (status == 0)
        status = conclude(command, scaling);
    json_decref(scaling);
    return status;
}

int cmd_container_replicas(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    const char *path =
        URL(command->mem, "/volumed/v1/containers/{}/replicas", command->args.words[0]);

    if (command_ask(command, "GET", path, NULL, &answer, err) < 0)
        return -1;
    if (command->is_json)
        output_json(answer);
    else
        print_replicas(command, json_object_get(answer, "replicas"));
    return 0;
}

static int follow(struct command *command, json_t **scaling, struct error *err)
{
    const char *path = URL(command->mem, "/volumed/v1/scalings/{}", cell_text(*scaling, "id"));
    json_int_t told = 0;

    while (strcmp(cell_text(*scaling, "state"), "running") == 0) {
        json_int_t at = json_integer_value(json_object_get(*scaling, "replica"));
        if (at != told)
            output_note(command, "replica %lld", (long long)at);
        told = at;
        (void)poll(NULL, 0, LOOK_MS); /* sleeps */
        json_decref(*scaling);
        *scaling = NULL;
        if (command_ask(command, "GET", path, NULL, scaling, err) < 0)
            return -1;
    }
    return 0;
}

static int conclude(const struct command *command, const json_t *scaling)
{
    const json_t *report = json_object_get(scaling, "report");
    bool has_failed = strcmp(cell_text(scaling, "state"), "failed") == 0;
    bool is_dry = args_has(&command->args, "dry-run");

    if (command->is_json)
        output_json(scaling);
    else if (has_failed)
        output_line("%s: failed: %s", cell_text(scaling, "container"),
                    cell_text(scaling, "reason"));
    else if (args_has(&command->args, "detach"))
        output_line("%s", cell_text(scaling, "id"));
    else if (!command->is_quiet) {
        print_names(report, "remove", is_dry ? "would be removed" : "removed");
        print_names(report, "refresh", is_dry ? "would be refreshed" : "refreshed");
        print_names(report, "add", is_dry ? "would be added" : "added");
    }
    return has_failed ? EXIT_FAILED : 0;
}

static void print_names(const json_t *report, const char *key, const char *what)
{
    size_t index;
    json_t *name;

    json_array_foreach(json_object_get(report, key), index, name)
    {
        output_line("%s: %s", json_string_value(name), what);
    }
}

static void print_replicas(const struct command *command, const json_t *list)
{
    static const char *const titles[] = { "NUMBER", "NAME",      "STATE",   "STATUS", "GOLDEN",
                                          "MADE",   "REFRESHED", "VOLUMES", NULL };
    struct arena *mem = command->mem;
    struct table table;
    size_t index;
    json_t *item;

    table_begin(&table, mem, titles);
    json_array_foreach(list, index, item)
    {
        if (command->is_quiet) {
            output_line("%s", cell_text(item, "name"));
            continue;
        }
        bool is_new = json_is_null(json_object_get(item, "refreshed"));
        table_cell(&table, cell_int(mem, item, "number"));
        table_cell(&table, cell_text(item, "name"));
        table_cell(&table, cell_text(item, "state"));
        table_cell(&table, cell_text(item, "status"));
        table_cell(&table, cell_text(item, "from_snapshot"));
        table_cell(&table, cell_ago_ms(mem, item, "made_ms"));
        table_cell(&table, is_new ? NULL : cell_ago_ms(mem, item, "refreshed_ms"));
        table_cell(&table, join(mem, json_object_get(item, "volumes")));
    }
    if (!command->is_quiet)
        table_print(&table);
}

static const char *join(struct arena *mem, const json_t *list)
{
    const char *text = NULL;
    size_t index;
    json_t *item;

    json_array_foreach(list, index, item) text = arena_printf(
        mem, "%s%s%s", text != NULL ? text : "", text != NULL ? "," : "", json_string_value(item));
    return text;
}
