/* SPDX-License-Identifier: Apache-2.0 */
/* volctl pool. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "output.h"
#include "url.h"
#include "verbs.h"

static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err);
static int remove_one(struct command *command, const char *word, struct outcome *outcome,
                      struct error *err);
static void print_adopted(const struct command *command, const json_t *answer);
static int describe_place(const struct command *command, json_t *body, struct error *err);
static int set_size(const struct command *command, const char *option, const char *name,
                    json_t *body, struct error *err);
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
    cleanup_json json_t *body = json_object();

    json_set(body, "name", json_text(command->args.words[0]));
    if (describe_place(command, body, err) < 0 ||
        command_ask(command, "POST", "/volumed/v1/pools", json_incref(body), &pool, err) < 0)
        return -1;
    if (command->is_json) {
        output_json(pool);
        return 0;
    }
    const json_t *disk = json_object_get(pool, "disk");
    output_line("%s", cell_text(pool, "name"));
    output_note(command, "driver %s", cell_text(pool, "driver"));
    if (json_is_object(disk) && !json_is_true(json_object_get(disk, "direct_io")))
        output_note(command,
                    "the filesystem below '%s' has no direct I/O: its data is cached twice",
                    cell_text(disk, "path"));
    return 0;
}

int cmd_pool_adopt(struct command *command, struct error *err)
{
    static const char *const options[] = { "image", "device" };
    const struct args *args = &command->args;
    cleanup_json json_t *answer = NULL;
    json_t *body = json_object();

    if (args->word_count > 0)
        json_set(body, "path", json_text(absolute_path(command->mem, args->words[0])));
    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        if (args_has(args, options[i]))
            json_set(body, options[i],
                     json_text(absolute_path(command->mem, args_get(args, options[i]))));
    if (args_has(args, "name"))
        json_set(body, "name", json_text(args_get(args, "name")));
    json_set(body, "dry_run", json_boolean(args_has(args, "dry-run")));
    if (command_ask(command, "POST", "/volumed/v1/pools/adopt", body, &answer, err) < 0)
        return -1;
    if (command->is_json) {
        output_json(answer);
        return 0;
    }
    if (command->is_quiet)
        output_line("%s", cell_text(answer, "name"));
    else
        print_adopted(command, answer);
    return 0;
}

static void print_adopted(const struct command *command, const json_t *answer)
{
    static const char *const titles[] = { "KIND", "NAME", "STATE", "WAS", NULL };
    struct table table;
    size_t index;
    json_t *item;

    table_begin(&table, command->mem, titles);
    json_array_foreach(json_object_get(answer, "found"), index, item)
    {
        table_cell(&table, cell_text(item, "kind"));
        table_cell(&table, cell_text(item, "name"));
        table_cell(&table, cell_text(item, "state"));
        table_cell(&table, cell_text(item, "was"));
    }
    table_print(&table);
    output_note(command, "%s pool '%s' of driver %s at '%s'",
                json_is_true(json_object_get(answer, "dry_run")) ? "would adopt" : "adopted",
                cell_text(answer, "name"), cell_text(answer, "driver"), cell_text(answer, "path"));
}

int cmd_pool_resize(struct command *command, struct error *err)
{
    cleanup_json json_t *pool = NULL;
    json_t *body = json_object();
    int64_t size_bytes = 0;

    if (units_parse_size(command->args.words[1], &size_bytes) < 0) {
        json_decref(body);
        return fail(err, ERR_INVALID, "'%s' is no size", command->args.words[1]);
    }
    json_set(body, "size_bytes", json_integer(size_bytes));
    if (command_ask(command, "PATCH",
                    URL(command->mem, "/volumed/v1/pools/{}", command->args.words[0]), body, &pool,
                    err) < 0)
        return -1;
    if (command->is_json)
        output_json(pool);
    else
        output_line("%s", cell_size(command->mem, json_object_get(pool, "disk"), "size_bytes"));
    return 0;
}

int cmd_pool_set(struct command *command, struct error *err)
{
    cleanup_json json_t *pool = NULL;
    struct arena *mem = command->mem;
    json_t *body = json_object();

    for (int i = 1; i < command->args.word_count; i++) {
        const char *word = command->args.words[i];
        size_t length = strcspn(word, "=");
        int64_t percent = 0;
        if (word[length] != '=' || units_parse_int(word + length + 1, &percent) < 0) {
            json_decref(body);
            return fail(err, ERR_INVALID, "'%s' is not MARK=PERCENT", word);
        }
        json_set(body, arena_printf(mem, "%.*s_percent", (int)length, word), json_integer(percent));
    }
    if (command_ask(command, "PATCH", URL(mem, "/volumed/v1/pools/{}", command->args.words[0]),
                    body, &pool, err) < 0)
        return -1;
    const json_t *marks = json_object_get(pool, "marks");
    if (command->is_json)
        output_json(pool);
    else
        output_line("warn=%s purge=%s refuse=%s", cell_int(mem, marks, "warn_percent"),
                    cell_int(mem, marks, "purge_percent"), cell_int(mem, marks, "refuse_percent"));
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

/* PATH alone is a directory; with anything that only a disk has, it is the disk's image. */
static int describe_place(const struct command *command, json_t *body, struct error *err)
{
    const struct args *args = &command->args;
    const char *driver = args_get(args, "driver");
    const char *device = args_get(args, "device");
    bool is_disk = args->word_count < 2 || device != NULL || args_has(args, "size") ||
                   args_has(args, "max") || (driver != NULL && strcmp(driver, "xfs") == 0);

    if (args->word_count == 2)
        json_set(body, is_disk ? "image" : "path",
                 json_text(absolute_path(command->mem, args->words[1])));
    if (driver != NULL && (is_disk || strcmp(driver, "auto") != 0))
        json_set(body, "driver", json_text(driver));
    if (device != NULL)
        json_set(body, "device", json_text(absolute_path(command->mem, device)));
    if (args_has(args, "force"))
        json_set(body, "force", json_true());
    return set_size(command, "size", "size_bytes", body, err) < 0
               ? -1
               : set_size(command, "max", "max_bytes", body, err);
}

static int set_size(const struct command *command, const char *option, const char *name,
                    json_t *body, struct error *err)
{
    const char *text = args_get(&command->args, option);
    int64_t size_bytes = 0;

    if (text == NULL)
        return 0;
    if (units_parse_size(text, &size_bytes) < 0)
        return fail(err, ERR_INVALID, "'%s' is no size", text);
    json_set(body, name, json_integer(size_bytes));
    return 0;
}

/* The service's working directory is not ours. */
static const char *absolute_path(struct arena *mem, const char *path)
{
    char cwd[PATH_MAX];

    if (path[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
        return path;
    return arena_printf(mem, "%s/%s", cwd, path);
}
