/* SPDX-License-Identifier: Apache-2.0 */
/* volctl pool. */
#include <limits.h>
#include <unistd.h>

#include "output.h"
#include "url.h"
#include "verbs.h"

static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err);
static int remove_one(struct command *command, const char *word, struct outcome *outcome,
                      struct error *err);
static const char *absolute_path(struct arena *mem, const char *path);

int cmd_pool_ls(struct command *command, struct error *err)
{
    static const char *const titles[] = {
        "NAME", "DRIVER", "SIZE", "FREE", "DEFAULT", "PATH", NULL
    };
    struct arena *mem = command->mem;
    cleanup_json json_t *answer = NULL;
    struct table table;
    size_t index;
    json_t *pool;

    if (command_ask(command, "GET", "/volumed/v1/pools", NULL, &answer, err) < 0)
        return -1;
    const json_t *pools = json_object_get(answer, "pools");
    if (command->is_json) {
        output_json(pools);
        return 0;
    }
    table_begin(&table, mem, titles);
    json_array_foreach(pools, index, pool)
    {
        const json_t *space = json_object_get(pool, "space");
        if (command->is_quiet) {
            output_line("%s", cell_text(pool, "name"));
            continue;
        }
        table_cell(&table, cell_text(pool, "name"));
        table_cell(&table, cell_text(pool, "driver"));
        table_cell(&table, cell_size(mem, space, "size_bytes"));
        table_cell(&table, cell_size(mem, space, "free_bytes"));
        table_cell(&table, json_is_true(json_object_get(pool, "default")) ? "yes" : "no");
        table_cell(&table, cell_text(pool, "path"));
    }
    if (!command->is_quiet)
        table_print(&table);
    return 0;
}

int cmd_pool_create(struct command *command, struct error *err)
{
    cleanup_json json_t *pool = NULL;
    const char *driver = args_get(&command->args, "driver");
    json_t *body = json_object();

    json_set(body, "name", json_text(command->args.words[0]));
    json_set(body, "path", json_text(absolute_path(command->mem, command->args.words[1])));
    if (driver != NULL)
        json_set(body, "driver", json_text(driver));
    if (command_ask(command, "POST", "/volumed/v1/pools", body, &pool, err) < 0)
        return -1;
    if (command->is_json) {
        output_json(pool);
        return 0;
    }
    output_line("%s", cell_text(pool, "name"));
    output_note(command, "driver %s", cell_text(pool, "driver"));
    return 0;
}

int cmd_pool_inspect(struct command *command, struct error *err)
{
    return command_each(command, inspect_one, err);
}

int cmd_pool_rm(struct command *command, struct error *err)
{
    return command_each(command, remove_one, err);
}

static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err)
{
    if (command_ask(command, "GET", URL(command->mem, "/volumed/v1/pools/{}", word), NULL,
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
    return command_ask(command, "DELETE", URL(command->mem, "/volumed/v1/pools/{}", word), NULL,
                       &outcome->json, err) < 0
               ? -1
               : 0;
}

/* The service's working directory is not ours. */
static const char *absolute_path(struct arena *mem, const char *path)
{
    char cwd[PATH_MAX];

    if (path[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
        return path;
    return arena_printf(mem, "%s/%s", cwd, path);
}
