/* SPDX-License-Identifier: Apache-2.0 */
/* volctl container mount, unmount, promote: volumes that come to and leave containers that are
 * there. */
#include "output.h"
#include "url.h"
#include "verbs.h"

int cmd_container_mount(struct command *command, struct error *err)
{
    const struct args *args = &command->args;
    cleanup_json json_t *answer = NULL;
    json_t *body = json_pack("{s:s}", "bind", args->words[1]);
    const char *path = URL(command->mem, "/volumed/v1/containers/{}/attachments", args->words[0]);

    if (args_has(args, "subpath"))
        json_set(body, "subpath", json_text(args_get(args, "subpath")));
    if (command_ask(command, "POST", path, body, &answer, err) < 0)
        return -1;
    if (command->is_json)
        output_json(answer);
    else if (command->is_quiet)
        output_line("%s", cell_text(answer, "destination"));
    else
        output_line("%s is at %s of %s%s", cell_text(answer, "volume"),
                    cell_text(answer, "destination"), args->words[0],
                    json_is_true(json_object_get(answer, "read_only")) ? ", read-only" : "");
    return 0;
}

int cmd_container_unmount(struct command *command, struct error *err)
{
    const struct args *args = &command->args;
    cleanup_json json_t *answer = NULL;
    const char *path = URL(command->mem, "/volumed/v1/containers/{}/attachments", args->words[0]);

    path = url_add(command->mem, path, "destination", args->words[1]);
    path = url_add(command->mem, path, "force", args_has(args, "force") ? "true" : NULL);
    if (command_ask(command, "DELETE", path, NULL, &answer, err) < 0)
        return -1;
    if (command->is_json)
        output_json(answer);
    else if (command->is_quiet)
        output_line("%s", cell_text(answer, "volume"));
    else
        output_line("%s has left %s of %s", cell_text(answer, "volume"),
                    cell_text(answer, "destination"), args->words[0]);
    return 0;
}

int cmd_container_promote(struct command *command, struct error *err)
{
    const struct args *args = &command->args;
    cleanup_json json_t *answer = NULL;
    json_t *body = json_pack("{s:s, s:s}", "destination", args->words[1], "name", args->words[2]);
    const char *path = URL(command->mem, "/volumed/v1/containers/{}/promote", args->words[0]);

    if (command_ask(command, "POST", path, body, &answer, err) < 0)
        return -1;
    if (command->is_json)
        output_json(answer);
    else
        output_line("%s", cell_text(answer, "name"));
    return 0;
}
