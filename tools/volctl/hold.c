/* SPDX-License-Identifier: Apache-2.0 */
/* volctl snapshot hold, release, holds. */
#include "output.h"
#include "url.h"
#include "verbs.h"

static int hold_one(struct command *command, const char *word, struct outcome *outcome,
                    struct error *err);
static int release_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err);
static int list_one(struct command *command, const char *word, struct outcome *outcome,
                    struct error *err);
static int holds_path(struct command *command, const char *word, const char **path,
                      struct error *err);

int cmd_snapshot_hold(struct command *command, struct error *err)
{
    return command_each(command, hold_one, err);
}

int cmd_snapshot_release(struct command *command, struct error *err)
{
    return command_each(command, release_one, err);
}

int cmd_snapshot_holds(struct command *command, struct error *err)
{
    return command_each(command, list_one, err);
}

static int hold_one(struct command *command, const char *word, struct outcome *outcome,
                    struct error *err)
{
    const char *tag = args_get(&command->args, "tag");
    const char *path;

    if (holds_path(command, word, &path, err) < 0)
        return -1;
    json_t *body = json_object();
    if (tag != NULL)
        json_set(body, "tag", json_text(tag));
    outcome->text = word;
    return command_ask(command, "POST", path, body, &outcome->json, err) < 0 ? -1 : 0;
}

static int release_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err)
{
    const char *path;

    if (holds_path(command, word, &path, err) < 0)
        return -1;
    path = url_add(command->mem, path, "tag", args_get(&command->args, "tag"));
    outcome->text = word;
    return command_ask(command, "DELETE", path, NULL, &outcome->json, err) < 0 ? -1 : 0;
}

static int list_one(struct command *command, const char *word, struct outcome *outcome,
                    struct error *err)
{
    const char *path;
    size_t index;
    json_t *hold;

    if (holds_path(command, word, &path, err) < 0 ||
        command_ask(command, "GET", path, NULL, &outcome->json, err) < 0)
        return -1;
    json_array_foreach(json_object_get(outcome->json, "holds"), index, hold)
    {
        if (!command->is_json)
            output_line("%s", cell_text(hold, "tag"));
    }
    return 0;
}

static int holds_path(struct command *command, const char *word, const char **path,
                      struct error *err)
{
    const char *volume;
    const char *name;

    if (split_snapshot(command->mem, word, true, &volume, &name, err) < 0)
        return -1;
    *path = URL(command->mem, "/volumed/v1/volumes/{}/snapshots/{}/holds", volume, name);
    return 0;
}
