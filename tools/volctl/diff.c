/* SPDX-License-Identifier: Apache-2.0 */
/* volctl file diff: what changed from one state of a volume to another. */
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "output.h"
#include "url.h"
#include "verbs.h"

struct difference {
    json_t *changes;
    json_t *sum;
};

static int read_line(void *context, const char *text, size_t size, struct error *err);
static int by_path(const void *left, const void *right);
static void sort_changes(struct arena *mem, struct difference *difference);
static void print_changes(const struct command *command, const json_t *changes);
static const char *change_text(const json_t *change);
static void print_sum(const struct command *command, const json_t *sum);

int cmd_file_diff(struct command *command, struct error *err)
{
    struct arena *mem = command->mem;
    const char *const *words = command->args.words;
    cleanup_json json_t *answer = json_object();
    cleanup_reply struct reply reply = { 0 };
    struct request request = { .method = "GET", .path = "/volumed/v1/diff" };
    struct difference difference = { .changes = json_array() };
    const char *volumes[2] = { NULL, NULL };
    const char *snapshots[2] = { NULL, NULL };

    json_set(answer, "changes", difference.changes);
    for (int i = 0; i < command->args.word_count; i++)
        if (split_snapshot(mem, words[i], false, &volumes[i], &snapshots[i], err) < 0)
            return -1;
    if (volumes[1] == NULL && snapshots[0] == NULL)
        return fail(err, ERR_INVALID, "name a snapshot to compare '%s' with", words[0]);
    request.path = url_add(mem, request.path, "from_volume", volumes[0]);
    request.path = url_add(mem, request.path, "from_snapshot", snapshots[0]);
    request.path = url_add(mem, request.path, "to_volume", volumes[1]);
    request.path = url_add(mem, request.path, "to_snapshot", snapshots[1]);
    if (args_has(&command->args, "quick"))
        request.path = url_add(mem, request.path, "quick", "true");
    if (args_has(&command->args, "stat"))
        request.path = url_add(mem, request.path, "stat", "true");
    if (command_open(command, &request, &reply, err) < 0 ||
        lines_each(&reply, read_line, &difference, err) < 0)
        return -1;
    if (difference.sum == NULL)
        return fail(err, ERR_SYSTEM, "the answer was broken off");
    json_set(answer, "sum", difference.sum);
    sort_changes(mem, &difference);
    if (command->is_json) {
        output_json(answer);
        return 0;
    }
    print_changes(command, difference.changes);
    if (!command->is_quiet)
        print_sum(command, difference.sum);
    return 0;
}

static int read_line(void *context, const char *text, size_t size, struct error *err)
{
    struct difference *difference = context;
    json_t *line = json_read(text, size, err);

    if (line == NULL)
        return -1;
    json_t *sum = json_object_get(line, "sum");
    if (sum == NULL) {
        json_add(difference->changes, line);
        return 0;
    }
    difference->sum = json_incref(sum);
    json_decref(line);
    return 0;
}

static void sort_changes(struct arena *mem, struct difference *difference)
{
    size_t count = json_array_size(difference->changes);
    json_t **sorted = arena_array(mem, count + 1, sizeof(json_t *));

    for (size_t i = 0; i < count; i++)
        sorted[i] = json_incref(json_array_get(difference->changes, i));
    qsort(sorted, count, sizeof(json_t *), by_path);
    json_array_clear(difference->changes);
    for (size_t i = 0; i < count; i++)
        json_add(difference->changes, sorted[i]);
}

/* What is in a directory comes right after it; of one path, what went before what came. */
static int by_path(const void *left, const void *right)
{
    const json_t *const *a = left;
    const json_t *const *b = right;
    const unsigned char *x = (const unsigned char *)cell_text(*a, "path");
    const unsigned char *y = (const unsigned char *)cell_text(*b, "path");

    while (*x != '\0' && *x == *y) {
        x++;
        y++;
    }
    int order = (*x == '/' ? 1 : *x) - (*y == '/' ? 1 : *y);
    return order != 0 ? order : strcmp(cell_text(*b, "change"), cell_text(*a, "change"));
}

static void print_changes(const struct command *command, const json_t *changes)
{
    static const char *const titles[] = { "CHANGE", "BYTES", "PATH", NULL };
    struct arena *mem = command->mem;
    struct table table;
    size_t index;
    json_t *change;

    if (json_array_size(changes) == 0)
        return;
    table_begin(&table, mem, titles);
    json_array_foreach(changes, index, change)
    {
        const char *path = cell_text(change, "path");
        bool is_dir = strcmp(cell_text(change, "kind"), "directory") == 0;
        if (command->is_quiet) {
            output_line("%s", path);
            continue;
        }
        table_cell(&table, change_text(change));
        table_cell(&table, cell_int(mem, change, "bytes"));
        table_cell(&table, is_dir ? arena_printf(mem, "%s/", path) : path);
    }
    if (!command->is_quiet)
        table_print(&table);
}

static const char *change_text(const json_t *change)
{
    const char *text = cell_text(change, "change");

    if (strcmp(text, "changed") != 0)
        return text;
    if (!json_is_true(json_object_get(change, "data")))
        return "metadata";
    return json_is_true(json_object_get(change, "metadata")) ? "data+metadata" : "data";
}

static void print_sum(const struct command *command, const json_t *sum)
{
    struct arena *mem = command->mem;

    output_line("%s added (%s), %s removed (%s), %s changed (%s)", cell_int(mem, sum, "added"),
                cell_size(mem, sum, "added_bytes"), cell_int(mem, sum, "removed"),
                cell_size(mem, sum, "removed_bytes"), cell_int(mem, sum, "changed"),
                cell_size(mem, sum, "changed_bytes"));
    if (json_is_true(json_object_get(sum, "moving")))
        output_line(
            "it is in use and was compared as it moved: take a snapshot for an exact answer");
}
