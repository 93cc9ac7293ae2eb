/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What volctl prints on standard output: JSON documents, lines, and tables that align.  No colours;
 * control characters from names and labels never reach a terminal raw.
 */
#ifndef VOLCTL_OUTPUT_H
#define VOLCTL_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"

/* The document, indented, and a newline; or on one line (for streams of lines), at once. */
void output_json(const json_t *json);
void output_json_line(const json_t *json);

/* Text for people, control characters replaced, and a newline. */
void output_line(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* "name: value" lines of an object's members, and an empty line. */
void output_members(json_t *object);

/* A remark on standard error, for people alone: only on a terminal and not when quiet. */
void output_note(const struct command *command, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Bytes as they are, at once.  Returns 0 or -errno. */
int output_bytes(int fd, const void *data, size_t size);

/* True unless writing to standard output has failed; flushes it. */
bool output_is_whole(void);

struct table {
    struct arena *mem;
    size_t columns;
    size_t count; /* cells, those of the head included */
    size_t capacity;
    const char **cells;
};

/* 'titles' is NULL-terminated. */
void table_begin(struct table *table, struct arena *mem, const char *const *titles);

/* Cells by rows, from left to right; NULL is shown as "-". */
void table_cell(struct table *table, const char *text);
void table_print(const struct table *table);

/* Members of JSON objects as cells want them; NULL where there is none. */
const char *cell_text(const json_t *object, const char *name);
const char *cell_int(struct arena *mem, const json_t *object, const char *name);
const char *cell_size(struct arena *mem, const json_t *object, const char *name);
const char *cell_pairs(struct arena *mem, const json_t *object, const char *name);

/* "3 hours ago" of a time in milliseconds (or, by the second, seconds) since 1970. */
const char *cell_ago_ms(struct arena *mem, const json_t *object, const char *name);
const char *cell_ago_s(struct arena *mem, const json_t *object, const char *name);

#endif
