/* SPDX-License-Identifier: Apache-2.0 */
/* volctl volume: making, looking at and describing volumes.  What destroys is volume_remove.c's. */
#include <string.h>

#include "output.h"
#include "url.h"
#include "verbs.h"

static void list_row(const struct command *command, const json_t *volume, bool has_size,
                     struct table *table);
static int create(struct command *command, json_t *body, struct error *err);
static json_t *common_body(const struct command *command, const char *name);
static int set_numbers(const struct command *command, json_t *body, struct error *err);
static int set_source(struct command *command, json_t *body, const char *source, struct error *err);
static void print_created(const struct command *command, const json_t *volume, int status);
static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err);
static int change(struct command *command, const char *name, json_t *body, json_t **volume,
                  struct error *err);
static int report_change(const struct command *command, const json_t *volume, const char *text);
static int set_protected(struct command *command, const char *word, bool is_protected,
                         struct outcome *outcome, struct error *err);
static int protect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err);
static int unprotect_one(struct command *command, const char *word, struct outcome *outcome,
                         struct error *err);
static int usage_one(struct command *command, const char *word, struct outcome *outcome,
                     struct error *err);
static const char *size_or(struct arena *mem, const json_t *object, const char *name);
static const char *limit_text(struct arena *mem, const json_t *usage);
static const char *growth_text(struct arena *mem, const json_t *usage);
static int release_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err);

int cmd_volume_create(struct command *command, struct error *err)
{
    json_t *body = common_body(command, command->args.words[0]);
    const char *source = args_get(&command->args, "from");

    if (set_numbers(command, body, err) < 0 ||
        (source != NULL && set_source(command, body, source, err) < 0)) {
        json_decref(body);
        return -1;
    }
    return create(command, body, err);
}

int cmd_volume_clone(struct command *command, struct error *err)
{
    json_t *body = common_body(command, command->args.words[1]);

    if (set_source(command, body, command->args.words[0], err) < 0) {
        json_decref(body);
        return -1;
    }
    return create(command, body, err);
}

int cmd_volume_ls(struct command *command, struct error *err)
{
    static const char *const plain[] = { "NAME", "POOL", "CREATED", "PROTECTED", "LABELS", NULL };
    static const char *const sized[] = { "NAME",    "POOL",      "USED",   "LIMIT",
                                         "CREATED", "PROTECTED", "LABELS", NULL };
    bool has_size = args_has(&command->args, "size");
    cleanup_json json_t *filters = NULL;
    cleanup_json json_t *answer = NULL;
    struct table table;
    size_t index;
    json_t *volume;

    if (args_filters(&command->args, &filters, err) < 0)
        return -1;
    const char *path = url_add(command->mem, "/volumed/v1/volumes", "filters",
                               filters != NULL ? json_write(command->mem, filters) : NULL);
    path = url_add(command->mem, path, "usage", has_size ? "true" : NULL);
    if (command_ask(command, "GET", path, NULL, &answer, err) < 0)
        return -1;
    const json_t *volumes = json_object_get(answer, "volumes");
    if (command->is_json) {
        output_json(volumes);
        return 0;
    }
    table_begin(&table, command->mem, has_size ? sized : plain);
    json_array_foreach(volumes, index, volume)
    {
        if (command->is_quiet) {
            output_line("%s", cell_text(volume, "name"));
            continue;
        }
        list_row(command, volume, has_size, &table);
    }
    if (!command->is_quiet)
        table_print(&table);
    return 0;
}

static void list_row(const struct command *command, const json_t *volume, bool has_size,
                     struct table *table)
{
    table_cell(table, cell_text(volume, "name"));
    table_cell(table, cell_text(volume, "pool"));
    if (has_size) {
        table_cell(table, cell_size(command->mem, json_object_get(volume, "usage"), "used_bytes"));
        table_cell(table, cell_size(command->mem, json_object_get(volume, "limit"), "size_bytes"));
    }
    table_cell(table, cell_ago_ms(command->mem, volume, "created_ms"));
    table_cell(table, json_is_true(json_object_get(volume, "protected")) ? "yes" : "no");
    table_cell(table, cell_pairs(command->mem, volume, "labels"));
}

int cmd_volume_inspect(struct command *command, struct error *err)
{
    return command_each(command, inspect_one, err);
}

int cmd_volume_rename(struct command *command, struct error *err)
{
    cleanup_json json_t *volume = NULL;
    const char *name = command->args.words[1];

    if (change(command, command->args.words[0], json_pack("{s:s}", "name", name), &volume, err) < 0)
        return -1;
    return report_change(command, volume, name);
}

int cmd_volume_resize(struct command *command, struct error *err)
{
    cleanup_json json_t *volume = NULL;
    const struct args *args = &command->args;
    const char *size = args->word_count > 1 ? args->words[1] : NULL;
    const char *inodes = args_get(args, "inodes");

    if (size == NULL && inodes == NULL)
        return fail(err, ERR_INVALID, "give a size, or --inodes");
    json_t *body = json_object();
    if (size != NULL)
        json_set(body, "size", json_text(size));
    if (inodes != NULL)
        json_set(body, "inodes", json_text(inodes));
    if (change(command, args->words[0], body, &volume, err) < 0)
        return -1;
    return report_change(command, volume, cell_text(volume, "name"));
}

int cmd_volume_label(struct command *command, struct error *err)
{
    cleanup_json json_t *volume = NULL;
    json_t *labels = json_object();
    json_t *body = json_pack("{s:o}", "labels", labels);

    for (int i = 1; i < command->args.word_count; i++) {
        const char *word = command->args.words[i];
        const char *equals = strchr(word, '=');
        size_t length = equals != NULL ? (size_t)(equals - word) : strlen(word);
        bool is_removal = equals == NULL && length > 1 && word[length - 1] == '-';
        if (length == 0 || (equals == NULL && !is_removal)) {
            json_decref(body);
            return fail(err, ERR_INVALID, "'%s' is neither KEY=VALUE nor KEY-", word);
        }
        const char *key = arena_strndup(command->mem, word, is_removal ? length - 1 : length);
        json_set(labels, key, is_removal ? json_null() : json_text(equals + 1));
    }
    if (change(command, command->args.words[0], body, &volume, err) < 0)
        return -1;
    return report_change(command, volume, cell_pairs(command->mem, volume, "labels"));
}

int cmd_volume_protect(struct command *command, struct error *err)
{
    return command_each(command, protect_one, err);
}

int cmd_volume_unprotect(struct command *command, struct error *err)
{
    return command_each(command, unprotect_one, err);
}

int cmd_volume_usage(struct command *command, struct error *err)
{
    return command_each(command, usage_one, err);
}

int cmd_volume_release(struct command *command, struct error *err)
{
    return command_each(command, release_one, err);
}

/* Takes the body over. */
static int create(struct command *command, json_t *body, struct error *err)
{
    cleanup_json json_t *volume = NULL;
    int status = command_ask(command, "POST", "/volumed/v1/volumes", body, &volume, err);

    if (status < 0)
        return -1;
    if (command->is_json)
        output_json(volume);
    else
        print_created(command, volume, status);
    return 0;
}

static json_t *common_body(const struct command *command, const char *name)
{
    static const char *const limits[] = { "size", "inodes" };
    json_t *body = json_object();
    json_t *labels = args_pairs(&command->args, "label");
    json_t *options = args_pairs(&command->args, "opt");
    const char *pool = args_get(&command->args, "pool");

    json_set(body, "name", json_text(name));
    if (labels != NULL)
        json_set(body, "labels", labels);
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        const char *limit = args_get(&command->args, limits[i]);
        if (limit != NULL && options == NULL)
            options = json_object();
        if (limit != NULL)
            json_set(options, limits[i], json_text(limit));
    }
    if (args_has(&command->args, "access")) {
        options = options != NULL ? options : json_object();
        json_set(options, "access", json_text(args_get(&command->args, "access")));
    }
    if (options != NULL)
        json_set(body, "options", options);
    if (pool != NULL)
        json_set(body, "pool", json_text(pool));
    return body;
}

static int set_numbers(const struct command *command, json_t *body, struct error *err)
{
    static const char *const names[] = { "uid", "gid" };
    const char *mode = args_get(&command->args, "mode");

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        int64_t number = -1;
        if (args_int(&command->args, names[i], &number, err) < 0)
            return -1;
        if (number >= 0)
            json_set(body, names[i], json_integer(number));
    }
    if (mode != NULL)
        json_set(body, "mode", json_text(mode));
    return 0;
}

static int set_source(struct command *command, json_t *body, const char *source, struct error *err)
{
    const char *volume;
    const char *snapshot;

    if (split_snapshot(command->mem, source, false, &volume, &snapshot, err) < 0)
        return -1;
    json_set(body, "from_volume", json_text(volume));
    if (snapshot != NULL)
        json_set(body, "from_snapshot", json_text(snapshot));
    return 0;
}

/* The name alone, as scripts want it; what a copy cost is noted for people. */
static void print_created(const struct command *command, const json_t *volume, int status)
{
    output_line("%s", cell_text(volume, "name"));
    if (status == 200)
        output_note(command, "it was there already");
    else if (!json_is_null(json_object_get(volume, "parent")))
        output_note(command, "copied, cost %s", cell_text(volume, "cost"));
}

static int inspect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err)
{
    if (command_ask(command, "GET", URL(command->mem, "/volumed/v1/volumes/{}", word), NULL,
                    &outcome->json, err) < 0)
        return -1;
    if (!command->is_json && !command->is_quiet)
        output_members(outcome->json);
    return 0;
}

/* Takes the body over. */
static int change(struct command *command, const char *name, json_t *body, json_t **volume,
                  struct error *err)
{
    const char *path = URL(command->mem, "/volumed/v1/volumes/{}", name);

    return command_ask(command, "PATCH", path, body, volume, err) < 0 ? -1 : 0;
}

static int report_change(const struct command *command, const json_t *volume, const char *text)
{
    if (command->is_json)
        output_json(volume);
    else if (!command->is_quiet)
        output_line("%s", text != NULL ? text : "");
    return 0;
}

static int set_protected(struct command *command, const char *word, bool is_protected,
                         struct outcome *outcome, struct error *err)
{
    outcome->text = word;
    return change(command, word, json_pack("{s:b}", "protected", is_protected), &outcome->json,
                  err);
}

static int protect_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err)
{
    return set_protected(command, word, true, outcome, err);
}

static int unprotect_one(struct command *command, const char *word, struct outcome *outcome,
                         struct error *err)
{
    return set_protected(command, word, false, outcome, err);
}

static int usage_one(struct command *command, const char *word, struct outcome *outcome,
                     struct error *err)
{
    struct arena *mem = command->mem;
    const char *path = URL(mem, "/volumed/v1/volumes/{}/usage", word);

    if (args_has(&command->args, "fresh"))
        path = arena_printf(mem, "%s?fresh=true", path);
    if (command_ask(command, "GET", path, NULL, &outcome->json, err) < 0)
        return -1;
    const json_t *usage = outcome->json;
    outcome->text = arena_printf(
        mem, "%s: %s on disk%s, %s of it its own, %s apparent, %s files, %s%s", word,
        size_or(mem, usage, "used_bytes"), limit_text(mem, usage),
        size_or(mem, usage, "exclusive_bytes"), size_or(mem, usage, "apparent_bytes"),
        json_is_integer(json_object_get(usage, "files")) ? cell_int(mem, usage, "files") : "?",
        json_is_true(json_object_get(usage, "counted"))
            ? "counted"
            : arena_printf(mem, "walked %s ago", cell_ago_ms(mem, usage, "measured_ms")),
        growth_text(mem, usage));
    return 0;
}

static const char *size_or(struct arena *mem, const json_t *object, const char *name)
{
    const char *text = cell_size(mem, object, name);

    return text != NULL ? text : "?";
}

static const char *limit_text(struct arena *mem, const json_t *usage)
{
    const char *text = cell_size(mem, json_object_get(usage, "limit"), "size_bytes");

    return text != NULL ? arena_printf(mem, " of %s", text) : "";
}

static const char *growth_text(struct arena *mem, const json_t *usage)
{
    if (!json_is_integer(json_object_get(usage, "full_in_days")))
        return "";
    return arena_printf(mem, "; grows %s a day, full in about %s days",
                        cell_size(mem, usage, "growth_bytes_per_day"),
                        cell_int(mem, usage, "full_in_days"));
}

static int release_one(struct command *command, const char *word, struct outcome *outcome,
                       struct error *err)
{
    struct arena *mem = command->mem;

    if (command_ask(command, "DELETE", URL(mem, "/volumed/v1/volumes/{}/engine-mounts", word), NULL,
                    &outcome->json, err) < 0)
        return -1;
    outcome->text = arena_printf(mem, "%s: mounts forgotten: %s", word,
                                 cell_int(mem, outcome->json, "released"));
    return 0;
}
