/* SPDX-License-Identifier: Apache-2.0 */
/* volctl volume leases, set-access, fence: who may write. */
#include "output.h"
#include "url.h"
#include "verbs.h"

static void print_leases(const struct command *command, const json_t *answer);

int cmd_volume_leases(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    const char *path = URL(command->mem, "/volumed/v1/volumes/{}/leases", command->args.words[0]);

    if (command_ask(command, "GET", path, NULL, &answer, err) < 0)
        return -1;
    if (command->is_json)
        output_json(answer);
    else
        print_leases(command, answer);
    return 0;
}

int cmd_volume_set_access(struct command *command, struct error *err)
{
    const struct args *args = &command->args;
    cleanup_json json_t *answer = NULL;
    json_t *body = json_pack("{s:s}", "access", args->words[1]);
    const char *path = URL(command->mem, "/volumed/v1/volumes/{}/access", args->words[0]);

    if (args_has(args, "succession"))
        json_set(body, "succession", json_text(args_get(args, "succession")));
    if (command_ask(command, "PUT", path, body, &answer, err) < 0)
        return -1;
    if (command->is_json)
        output_json(answer);
    else if (command->is_quiet)
        output_line("%s", args->words[0]);
    else
        output_line("%s is %s; after its writer: %s", args->words[0], cell_text(answer, "access"),
                    cell_text(answer, "succession"));
    return 0;
}

int cmd_volume_fence(struct command *command, struct error *err)
{
    const struct args *args = &command->args;
    cleanup_json json_t *answer = NULL;
    json_t *body = json_object();
    const char *path = URL(command->mem, "/volumed/v1/volumes/{}/fence", args->words[0]);
    size_t index;
    json_t *item;

    if (args_has(args, "container"))
        json_set(body, "container", json_text(args_get(args, "container")));
    if (args_has(args, "how"))
        json_set(body, "how", json_text(args_get(args, "how")));
    if (command_ask(command, "POST", path, body, &answer, err) < 0)
        return -1;
    if (command->is_json) {
        output_json(answer);
        return 0;
    }
    json_array_foreach(json_object_get(answer, "fenced"), index, item)
    {
        if (command->is_quiet)
            output_line("%s", cell_text(item, "container"));
        else
            output_line("%s: %s (epoch %s)", cell_text(item, "container"), cell_text(item, "how"),
                        cell_int(command->mem, item, "epoch"));
    }
    return 0;
}

static void print_leases(const struct command *command, const json_t *answer)
{
    static const char *const titles[] = { "CONTAINER", "STATE", "EPOCH", "SINCE", NULL };
    struct table table;
    size_t index;
    json_t *lease;

    if (!command->is_quiet)
        output_line("%s, epoch %s, after its writer: %s", cell_text(answer, "access"),
                    cell_int(command->mem, answer, "epoch"), cell_text(answer, "succession"));
    table_begin(&table, command->mem, titles);
    json_array_foreach(json_object_get(answer, "leases"), index, lease)
    {
        if (command->is_quiet) {
            output_line("%s", cell_text(lease, "container"));
            continue;
        }
        table_cell(&table, cell_text(lease, "container"));
        table_cell(&table, cell_text(lease, "state"));
        table_cell(&table, cell_int(command->mem, lease, "epoch"));
        table_cell(&table, cell_ago_ms(command->mem, lease, "since_ms"));
    }
    if (!command->is_quiet)
        table_print(&table);
}
