/* SPDX-License-Identifier: Apache-2.0 */
/* volctl operation. */
#include "output.h"
#include "url.h"
#include "verbs.h"

static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err);
static void print_list(const struct command *command, const json_t *list);

int cmd_operation_ls(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    const char *path = "/volumed/v1/operations";

    if (args_has(&command->args, "running"))
        path = url_add(command->mem, path, "running", "true");
    path = url_add(command->mem, path, "limit", args_get(&command->args, "limit"));
    if (command_ask(command, "GET", path, NULL, &answer, err) < 0)
        return -1;
    const json_t *list = json_object_get(answer, "operations");
    if (command->is_json)
        output_json(list);
    else
        print_list(command, list);
    return 0;
}

int cmd_operation_inspect(struct command *command, struct error *err)
{
    return command_each(command, inspect_one, err);
}

static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err)
{
    if (command_ask(command, "GET", URL(command->mem, "/volumed/v1/operations/{}", word), NULL,
                    &outcome->json, err) < 0)
        return -1;
    if (!command->is_json && !command->is_quiet)
        output_members(outcome->json);
    return 0;
}

static void print_list(const struct command *command, const json_t *list)
{
    static const char *const titles[] = {
        "ID", "KIND", "SUBJECT", "STATE", "STARTED", "ERROR", NULL
    };
    struct table table;
    size_t index;
    json_t *operation;

    table_begin(&table, command->mem, titles);
    json_array_foreach(list, index, operation)
    {
        if (command->is_quiet) {
            output_line("%s", cell_text(operation, "id"));
            continue;
        }
        table_cell(&table, cell_text(operation, "id"));
        table_cell(&table, cell_text(operation, "kind"));
        table_cell(&table, cell_text(operation, "subject"));
        table_cell(&table, cell_text(operation, "state"));
        table_cell(&table, cell_ago_ms(command->mem, operation, "started_ms"));
        table_cell(&table, cell_text(json_object_get(operation, "error"), "message"));
    }
    if (!command->is_quiet)
        table_print(&table);
}
