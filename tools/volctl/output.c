/* SPDX-License-Identifier: Apache-2.0 */
/* Printing.  A write that fails is told once, at the end, by output_is_whole(). */
#include "output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/units.h"

static void append_clean(struct buf *out, const char *text);
static size_t text_width(const char *text);
static const char *cell_ago(struct arena *mem, int64_t time_ms);

void output_json(const json_t *json)
{
    (void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY); /* seen by output_is_whole */
    (void)putchar('\n');
}

void output_json_line(const json_t *json)
{
    (void)json_dumpf(json, stdout, JSON_COMPACT | JSON_ENCODE_ANY); /* seen by output_is_whole */
    (void)putchar('\n');
    (void)fflush(stdout); /* likewise */
}

void output_line(const char *fmt, ...)
{
    cleanup_buf struct buf text = { 0 };
    cleanup_buf struct buf clean = { 0 };
    va_list args;

    va_start(args, fmt);
    buf_vprintf(&text, fmt, args);
    va_end(args);
    append_clean(&clean, text.data);
    (void)printf("%s\n", clean.size > 0 ? clean.data : "");
}

void output_members(json_t *object)
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        output_line("%-16s %s", name,
                    json_is_string(value) ? json_string_value(value)
                    : json_is_null(value) ? "-"
                                          : text);
        free(text);
    }
    (void)putchar('\n'); /* seen by output_is_whole */
}

void output_note(const struct command *command, const char *fmt, ...)
{
    va_list args;

    if (command->is_quiet || command->is_json || !isatty(STDERR_FILENO))
        return;
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args); /* a remark is not worth a failure */
    va_end(args);
    (void)fputc('\n', stderr); /* likewise */
}

int output_bytes(int fd, const void *data, size_t size)
{
    return sys_write_all(fd, data, size);
}

bool output_is_whole(void)
{
    return fflush(stdout) == 0 && !ferror(stdout);
}

void table_begin(struct table *table, struct arena *mem, const char *const *titles)
{
    *table = (struct table){ .mem = mem };
    while (titles[table->columns] != NULL)
        table->columns++;
    for (size_t i = 0; i < table->columns; i++)
        table_cell(table, titles[i]);
}

void table_cell(struct table *table, const char *text)
{
    cleanup_buf struct buf clean = { 0 };

    if (table->count == table->capacity) {
        const char **old = table->cells;
        table->capacity = table->capacity > 0 ? table->capacity * 2 : 64;
        table->cells = arena_array(table->mem, table->capacity, sizeof(*table->cells));
        if (table->count > 0)
            memcpy(table->cells, old, table->count * sizeof(*old));
    }
    append_clean(&clean, text == NULL || *text == '\0' ? "-" : text);
    table->cells[table->count++] = arena_strdup(table->mem, clean.data);
}

void table_print(const struct table *table)
{
    size_t *widths = arena_array(table->mem, table->columns, sizeof(*widths));

    for (size_t i = 0; i < table->count; i++) {
        size_t width = text_width(table->cells[i]);
        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
    }
    for (size_t i = 0; i < table->count; i++) {
        bool is_last = (i + 1) % table->columns == 0;
        size_t pad = widths[i % table->columns] - text_width(table->cells[i]) + 2;
        if (is_last)
            (void)printf("%s\n", table->cells[i]);
        else
            (void)printf("%s%*s", table->cells[i], (int)pad, "");
    }
}

const char *cell_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

const char *cell_int(struct arena *mem, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return !json_is_integer(value)
               ? NULL
               : arena_printf(mem, "%lld", (long long)json_integer_value(value));
}

const char *cell_size(struct arena *mem, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    char text[UNITS_TEXT_SIZE];

    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return NULL;
    units_format_size(json_integer_value(value), text);
    return arena_strdup(mem, text);
}

const char *cell_pairs(struct arena *mem, const json_t *object, const char *name)
{
    cleanup_buf struct buf text = { 0 };
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(object, name), key, value)
    {
        buf_printf(&text, "%s%s=%s", text.size > 0 ? "," : "", key,
                   json_is_string(value) ? json_string_value(value) : "");
    }
    return text.size > 0 ? arena_strdup(mem, text.data) : NULL;
}

const char *cell_ago_ms(struct arena *mem, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_integer(value) ? cell_ago(mem, json_integer_value(value)) : NULL;
}

const char *cell_ago_s(struct arena *mem, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_integer(value) ? cell_ago(mem, json_integer_value(value) * 1000) : NULL;
}

static const char *cell_ago(struct arena *mem, int64_t time_ms)
{
    char text[UNITS_TEXT_SIZE];
    int64_t age_ms = clock_now_ms() - time_ms;

    units_format_ago(age_ms > 0 ? age_ms : 0, text);
    return arena_printf(mem, "%s ago", text);
}

/* C0, DEL and C1 (U+0080 to U+009F, in UTF-8 C2 80 to C2 9F) become '?'. */
static void append_clean(struct buf *out, const char *text)
{
    buf_append(out, "", 0);
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F) {
            buf_text(out, "?");
            at++;
        } else if (at[0] < 0x20 || at[0] == 0x7F) {
            buf_text(out, "?");
        } else {
            buf_append(out, at, 1);
        }
    }
}

/* Characters: bytes that do not continue a UTF-8 sequence. */
static size_t text_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        if (((unsigned char)*text & 0xC0) != 0x80)
            width++;
    return width;
}
