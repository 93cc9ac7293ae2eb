/* SPDX-License-Identifier: Apache-2.0 */
/* volctl image: listing, naming, removing.  Archives are image_transfer.c's. */
#include <string.h>

#include "output.h"
#include "url.h"
#include "verbs.h"

static void print_list(const struct command *command, const json_t *list);
static void print_image(const struct command *command, struct table *table, const json_t *image,
                        const char *name);
static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err);
static int remove_one(struct command *command, const char *word, struct outcome *outcome,
                      struct error *err);

int cmd_image_ls(struct command *command, struct error *err)
{
    cleanup_json json_t *filters = NULL;
    cleanup_json json_t *list = NULL;

    if (args_filters(&command->args, &filters, err) < 0)
        return -1;
    const char *path = url_add(command->mem, DOCKER_API "/images/json", "filters",
                               filters != NULL ? json_write(command->mem, filters) : NULL);
    if (command_ask(command, "GET", path, NULL, &list, err) < 0)
        return -1;
    if (command->is_json)
        output_json(list);
    else
        print_list(command, list);
    return 0;
}

int cmd_image_inspect(struct command *command, struct error *err)
{
    return command_each(command, inspect_one, err);
}

int cmd_image_tag(struct command *command, struct error *err)
{
    struct arena *mem = command->mem;
    const char *repo;
    const char *tag;

    split_tag(mem, command->args.words[1], &repo, &tag);
    const char *path = URL(mem, DOCKER_API "/images/{}/tag?repo={}", command->args.words[0], repo);
    if (command_ask(command, "POST", url_add(mem, path, "tag", tag), NULL, NULL, err) < 0)
        return -1;
    if (command->is_json) {
        cleanup_json json_t *json = json_pack("{s:s}", "image", command->args.words[1]);
        output_json(json);
    } else if (!command->is_quiet) {
        output_line("%s", command->args.words[1]);
    }
    return 0;
}

int cmd_image_rm(struct command *command, struct error *err)
{
    return command_each(command, remove_one, err);
}

static void print_list(const struct command *command, const json_t *list)
{
    static const char *const titles[] = { "IMAGE", "ID", "CREATED", "SIZE", NULL };
    struct table table;
    size_t index;
    size_t tag_index;
    json_t *image;
    json_t *tag;

    table_begin(&table, command->mem, titles);
    json_array_foreach(list, index, image)
    {
        const json_t *tags = json_object_get(image, "RepoTags");
        json_array_foreach(tags, tag_index, tag)
        {
            print_image(command, &table, image, json_string_value(tag));
        }
        if (json_array_size(tags) == 0)
            print_image(command, &table, image, NULL);
    }
    if (!command->is_quiet)
        table_print(&table);
}

static void print_image(const struct command *command, struct table *table, const json_t *image,
                        const char *name)
{
    const char *id = cell_text(image, "Id");
    const char *digits = id != NULL && strncmp(id, "sha256:", 7) == 0 ? id + 7 : id;

    if (command->is_quiet) {
        output_line("%s", name != NULL ? name : id);
        return;
    }
    table_cell(table, name != NULL ? name : "<none>");
    table_cell(table, digits != NULL ? arena_strndup(command->mem, digits, 12) : NULL);
    table_cell(table, cell_ago_s(command->mem, image, "Created"));
    table_cell(table, cell_size(command->mem, image, "Size"));
}

static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err)
{
    const char *path = URL(command->mem, DOCKER_API "/images/{}/json", word);

    if (command_ask(command, "GET", path, NULL, &outcome->json, err) < 0)
        return -1;
    if (!command->is_json && !command->is_quiet)
        output_json(outcome->json);
    return 0;
}

static int remove_one(struct command *command, const char *word, struct outcome *outcome,
                      struct error *err)
{
    const char *path = URL(command->mem, DOCKER_API "/images/{}", word);
    size_t index;
    json_t *item;

    path = url_add(command->mem, path, "force", args_has(&command->args, "force") ? "1" : NULL);
    if (command_ask(command, "DELETE", path, NULL, &outcome->json, err) < 0)
        return -1;
    if (command->is_json || command->is_quiet)
        return 0;
    json_array_foreach(outcome->json, index, item)
    {
        const char *untagged = cell_text(item, "Untagged");
        output_line("%s %s", untagged != NULL ? "untagged" : "deleted",
                    untagged != NULL ? untagged : cell_text(item, "Deleted"));
    }
    return 0;
}
