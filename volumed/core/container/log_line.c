/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing, filtering and framing of log lines. */
#include "core/container/log_line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"

#define BLOCK_SIZE 8192
#define FRAME_HEAD 8

static void append_frame(struct buf *out, int stream, const char *prefix, const json_t *text);
static int64_t count_back(const char *block, int64_t size, int64_t lines, int64_t *found);

int log_line_append(const char *line, size_t size, const struct log_spec *spec, bool is_raw,
                    struct buf *out)
{
    struct error ignored; /* a torn line after a power loss is skipped, as Docker does */
    cleanup_json json_t *json = json_read(line, size, &ignored);
    const json_t *text = json_object_get(json, "log");
    const char *stream = json_string_value(json_object_get(json, "stream"));
    const char *time = json_string_value(json_object_get(json, "time"));
    char prefix[CLOCK_TEXT_SIZE + 4];
    char stamp[CLOCK_TEXT_SIZE] = "";
    int64_t time_ns = 0;

    if (!json_is_string(text) || stream == NULL || time == NULL ||
        clock_parse_ns(time, &time_ns) < 0)
        return 0;
    if (spec->until_ns != 0 && time_ns > spec->until_ns)
        return -1;
    bool is_stderr = strcmp(stream, "stderr") == 0;
    if (time_ns < spec->since_ns || (is_stderr ? !spec->has_stderr : !spec->has_stdout))
        return 0;
    if (spec->has_timestamps)
        clock_text_ns(time_ns, stamp);
    /* Details would stand before the second space: labels and variables are not logged. */
    (void)snprintf(prefix, sizeof(prefix), "%s%s%s", stamp, spec->has_timestamps ? " " : "",
                   spec->has_details ? " " : "");
    append_frame(out, is_raw ? 0 : 1 + is_stderr, prefix, text);
    return 1;
}

int64_t log_tail_offset(int fd, int64_t lines, int64_t *found)
{
    char block[BLOCK_SIZE];
    int64_t end = lseek(fd, 0, SEEK_END);

    *found = 0;
    if (end < 0)
        return -errno;
    if (lines == 0)
        return end;
    for (int64_t at = end; at > 0;) {
        int64_t size = at < BLOCK_SIZE ? at : BLOCK_SIZE;
        ssize_t got = pread(fd, block, (size_t)size, at - size);
        if (got < 0)
            return -errno;
        /* The newline that ends the file begins no line. */
        int64_t usable = at == end && got > 0 && block[got - 1] == '\n' ? got - 1 : got;
        int64_t begin = count_back(block, usable, lines, found);
        if (begin >= 0)
            return at - size + begin;
        at -= size;
    }
    if (end > 0)
        (*found)++;
    return 0;
}

/* Offset in the block after the newline before the wanted line, or -1 when it is further back. */
static int64_t count_back(const char *block, int64_t size, int64_t lines, int64_t *found)
{
    for (int64_t i = size - 1; i >= 0; i--)
        if (block[i] == '\n' && ++*found == lines)
            return i + 1;
    return -1;
}

/* 'stream' 0: no frame. */
static void append_frame(struct buf *out, int stream, const char *prefix, const json_t *text)
{
    size_t size = strlen(prefix) + json_string_length(text);
    unsigned char head[FRAME_HEAD] = {
        (unsigned char)stream,
        0,
        0,
        0,
        (unsigned char)(size >> 24),
        (unsigned char)(size >> 16),
        (unsigned char)(size >> 8),
        (unsigned char)size,
    };

    if (stream != 0)
        buf_append(out, head, sizeof(head));
    buf_text(out, prefix);
    buf_append(out, json_string_value(text), json_string_length(text));
}
