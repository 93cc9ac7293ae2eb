/* SPDX-License-Identifier: Apache-2.0 */
/*
 * volctl lineage: a graph of edges as a tree of text, or for dot(1).  The tree follows what the
 * data itself descends from: of a volume that was cut or cloned, what happened to it later is left
 * out, and so is what happened before its last rollback.
 */
#include <stdio.h>
#include <string.h>

#include "output.h"
#include "url.h"
#include "verbs.h"

#define DEPTH_MAX  64
#define PREFIX_MAX ((size_t)DEPTH_MAX * 8)

struct drawing {
    const struct command *command;
    const json_t *edges;
    char prefix[PREFIX_MAX]; /* of the line under way */
};

static void draw_all(struct drawing *drawing);
static void draw_root(struct drawing *drawing, const json_t *node);
static void draw_parents(struct drawing *drawing, const char *id, int64_t until_ms, int depth);
static size_t count_parents(const struct drawing *drawing, const char *id, int64_t until_ms);
static const json_t *next_parent(const struct drawing *drawing, const char *id, int64_t until_ms,
                                 size_t *position);
static const char *edge_text(struct arena *mem, const json_t *edge);
static const char *detail_text(struct arena *mem, const json_t *edge);
static const char *node_text(struct arena *mem, const json_t *node);
static int64_t time_of(const json_t *edge);
static bool is_root(const struct drawing *drawing, size_t index);
static void print_dot(const struct command *command, const json_t *edges);
static const char *quoted(struct arena *mem, const char *text);

int cmd_lineage_show(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    const char *word = command->args.words[0];
    const char *path = "/volumed/v1/lineage";
    bool is_all = args_has(&command->args, "all");
    const char *volume = NULL;
    const char *snapshot = NULL;

    if ((word == NULL) != is_all)
        return fail(err, ERR_INVALID, "name a volume or VOLUME@SNAPSHOT, or give --all");
    if (word != NULL && split_snapshot(command->mem, word, false, &volume, &snapshot, err) < 0)
        return -1;
    path = url_add(command->mem, path, "volume", volume);
    path = url_add(command->mem, path, "snapshot", snapshot);
    if (command_ask(command, "GET", path, NULL, &answer, err) < 0)
        return -1;
    struct drawing drawing = { .command = command, .edges = json_object_get(answer, "edges") };
    if (command->is_json)
        output_json(answer);
    else if (args_has(&command->args, "dot"))
        print_dot(command, drawing.edges);
    else if (is_all)
        draw_all(&drawing);
    else
        draw_root(&drawing, json_object_get(answer, "root"));
    return 0;
}

static void draw_all(struct drawing *drawing)
{
    size_t index;
    json_t *edge;

    json_array_foreach(drawing->edges, index, edge)
    {
        if (is_root(drawing, index))
            draw_root(drawing, json_object_get(edge, "child"));
    }
}

static void draw_root(struct drawing *drawing, const json_t *node)
{
    drawing->prefix[0] = '\0';
    output_line("%s", node_text(drawing->command->mem, node));
    draw_parents(drawing, cell_text(node, "id"), INT64_MAX, 0);
}

static void draw_parents(struct drawing *drawing, const char *id, int64_t until_ms, int depth)
{
    size_t left = count_parents(drawing, id, until_ms);
    size_t used = strlen(drawing->prefix);
    size_t position = 0;
    const json_t *edge;

    if (depth == DEPTH_MAX - 1)
        return;
    while ((edge = next_parent(drawing, id, until_ms, &position)) != NULL) {
        const json_t *parent = json_object_get(edge, "parent");
        left--;
        output_line("%s%s%s", drawing->prefix, left > 0 ? "├─ " : "└─ ",
                    edge_text(drawing->command->mem, edge));
        (void)snprintf(drawing->prefix + used, PREFIX_MAX - used, "%s",
                       left > 0 ? "│  " : "   "); /* fits: at most 5 bytes a level */
        if (strcmp(cell_text(edge, "relation"), "written") != 0)
            draw_parents(drawing, cell_text(parent, "id"), time_of(edge), depth + 1);
        drawing->prefix[used] = '\0';
    }
}

static size_t count_parents(const struct drawing *drawing, const char *id, int64_t until_ms)
{
    size_t count = 0;
    size_t position = 0;

    while (next_parent(drawing, id, until_ms, &position) != NULL)
        count++;
    return count;
}

/* Edges are newest first; what is older than a rollback comes by way of its snapshot. */
static const json_t *next_parent(const struct drawing *drawing, const char *id, int64_t until_ms,
                                 size_t *position)
{
    while (*position < json_array_size(drawing->edges)) {
        const json_t *edge = json_array_get(drawing->edges, (*position)++);
        const char *child = cell_text(json_object_get(edge, "child"), "id");
        if (strcmp(child, id) != 0 || time_of(edge) > until_ms)
            continue;
        if (strcmp(cell_text(edge, "relation"), "rolled-back") == 0)
            *position = json_array_size(drawing->edges);
        return edge;
    }
    return NULL;
}

static const char *edge_text(struct arena *mem, const json_t *edge)
{
    static const struct {
        const char *relation;
        const char *text;
    } texts[] = {
        { "seeded", "seeded from" },
        { "cloned", "cloned from" },
        { "cut", "cut from" },
        { "rolled-back", "rolled back to" },
        { "restored", "files restored from" },
        { "written", "written by" },
        { "imported", "imported from" },
    };

    const char *relation = cell_text(edge, "relation");
    const char *text = relation;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (strcmp(texts[i].relation, relation) == 0)
            text = texts[i].text;
    return arena_printf(mem, "%s %s%s, %.19s", text,
                        node_text(mem, json_object_get(edge, "parent")), detail_text(mem, edge),
                        cell_text(edge, "time"));
}

static const char *detail_text(struct arena *mem, const json_t *edge)
{
    const json_t *detail = json_object_get(edge, "detail");
    const char *path = cell_text(detail, "path");
    const char *image = cell_text(detail, "image");

    if (path != NULL)
        return arena_printf(mem, " at %s", path);
    if (image != NULL)
        return arena_printf(mem, " of %s, generation %s", image,
                            cell_int(mem, detail, "generation"));
    const json_t *paths = json_object_get(detail, "paths");
    if (json_array_size(paths) == 0)
        return "";
    const char *first = json_string_value(json_array_get(paths, 0));
    return json_array_size(paths) == 1
               ? arena_printf(mem, " (%s)", first)
               : arena_printf(mem, " (%s and %zu more)", first, json_array_size(paths) - 1);
}

static const char *node_text(struct arena *mem, const json_t *node)
{
    const char *kind = cell_text(node, "kind");
    const char *name = cell_text(node, "name");

    if (strcmp(kind, "image") == 0)
        return arena_printf(mem, "image %.19s", name);
    if (strcmp(kind, "container") == 0)
        return arena_printf(mem, "container %s (%.12s)", name, cell_text(node, "id"));
    return arena_printf(mem, "%s %s", kind, name);
}

static int64_t time_of(const json_t *edge)
{
    return json_integer_value(json_object_get(edge, "time_ms"));
}

/* The first edge of a volume. */
static bool is_root(const struct drawing *drawing, size_t index)
{
    const json_t *wanted = json_object_get(json_array_get(drawing->edges, index), "child");

    if (strcmp(cell_text(wanted, "kind"), "volume") != 0)
        return false;
    for (size_t i = 0; i < index; i++) {
        const json_t *child = json_object_get(json_array_get(drawing->edges, i), "child");
        if (strcmp(cell_text(child, "id"), cell_text(wanted, "id")) == 0)
            return false;
    }
    return true;
}

static void print_dot(const struct command *command, const json_t *edges)
{
    struct arena *mem = command->mem;
    size_t index;
    json_t *edge;

    output_line("digraph lineage {");
    output_line("    rankdir = RL; node [shape = box];");
    json_array_foreach(edges, index, edge)
    {
        const json_t *child = json_object_get(edge, "child");
        const json_t *parent = json_object_get(edge, "parent");
        const char *child_id = quoted(mem, cell_text(child, "id"));
        const char *parent_id = quoted(mem, cell_text(parent, "id"));
        output_line("    %s [label = %s];", child_id, quoted(mem, node_text(mem, child)));
        output_line("    %s [label = %s];", parent_id, quoted(mem, node_text(mem, parent)));
        output_line("    %s -> %s [label = %s];", child_id, parent_id,
                    quoted(mem, arena_printf(mem, "%s%s", cell_text(edge, "relation"),
                                             detail_text(mem, edge))));
    }
    output_line("}");
}

static const char *quoted(struct arena *mem, const char *text)
{
    cleanup_buf struct buf out = { 0 };

    buf_text(&out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buf_text(&out, "\\");
        buf_append(&out, text, 1);
    }
    buf_text(&out, "\"");
    return arena_strdup(mem, out.data);
}
