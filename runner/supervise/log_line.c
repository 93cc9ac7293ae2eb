/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats of log lines.  Text is looked at byte by byte only where it must be: runs of plain bytes
 * are copied as they are.
 */
#include "runner/supervise/log_line.h"

#include <stdint.h>
#include <string.h>

static char *append(char *end, const char *text);
static char *append_json(char *end, const char *text, size_t size);
static char *append_escape(char *end, unsigned char byte);
static size_t plain_length(const char *text, size_t size);
static size_t character_length(const char *text, size_t size);
static size_t sequence_length(unsigned char first);

size_t log_line_json(const struct log_line *line, char *entry)
{
    char *end = append(entry, "{\"log\":\"");

    end = append_json(end, line->text, line->size);
    end = append(end, "\",\"stream\":\"");
    end = append(end, line->stream);
    end = append(end, "\",\"time\":\"");
    end = append(end, line->time);
    end = append(end, "\"}\n");
    return (size_t)(end - entry);
}

size_t log_line_k8s(const struct log_line *line, bool is_partial, char *entry)
{
    char *end = append(entry, line->time);

    end = append(end, " ");
    end = append(end, line->stream);
    end = append(end, is_partial ? " P " : " F ");
    memcpy(end, line->text, line->size);
    end += line->size;
    if (line->size == 0 || end[-1] != '\n')
        *end++ = '\n';
    return (size_t)(end - entry);
}

size_t log_line_whole(const char *text, size_t size)
{
    for (size_t back = 1; back <= 3 && back <= size; back++) {
        unsigned char byte = (unsigned char)text[size - back];
        if (byte < 0x80)
            return size;
        if (byte >= 0xC0)
            return sequence_length(byte) > back ? size - back : size;
    }
    return size;
}

static char *append(char *end, const char *text)
{
    size_t size = strlen(text);

    memcpy(end, text, size); /* NOLINT(bugprone-not-null-terminated-result): a piece of a line */
    return end + size;
}

static char *append_json(char *end, const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t plain = plain_length(text + at, size - at);
        memcpy(end, text + at, plain);
        end += plain;
        at += plain;
        if (at == size)
            break;
        size_t length = character_length(text + at, size - at);
        if (length > 1) {
            memcpy(end, text + at, length);
            end += length;
            at += length;
        } else {
            end = append_escape(end, (unsigned char)text[at++]);
        }
    }
    return end;
}

static char *append_escape(char *end, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    char unicode[] = "\\u00..";

    if (byte == '"')
        return append(end, "\\\"");
    if (byte == '\\')
        return append(end, "\\\\");
    if (byte == '\n')
        return append(end, "\\n");
    if (byte == '\r')
        return append(end, "\\r");
    if (byte == '\t')
        return append(end, "\\t");
    if (byte >= 0x80)
        return append(end, "\\ufffd");
    unicode[4] = digits[byte >> 4];
    unicode[5] = digits[byte & 15];
    return append(end, unicode);
}

static size_t plain_length(const char *text, size_t size)
{
    size_t length = 0;

    while (length < size && (unsigned char)text[length] >= 0x20 &&
           (unsigned char)text[length] < 0x80 && text[length] != '"' && text[length] != '\\')
        length++;
    return length;
}

/* Of the valid UTF-8 character of two bytes or more that 'text' begins with; else 1. */
static size_t character_length(const char *text, size_t size)
{
    /* The first byte's neighbours rule out overlong forms, surrogates and what is past U+10FFFF. */
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = sequence_length(bytes[0]);

    if (length == 1 || length > size)
        return 1;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 1;
    if ((bytes[0] == 0xE0 && bytes[1] < 0xA0) || (bytes[0] == 0xED && bytes[1] > 0x9F) ||
        (bytes[0] == 0xF0 && bytes[1] < 0x90) || (bytes[0] == 0xF4 && bytes[1] > 0x8F))
        return 1;
    return length;
}

static size_t sequence_length(unsigned char first)
{
    if (first >= 0xC2 && first <= 0xDF)
        return 2;
    if (first >= 0xE0 && first <= 0xEF)
        return 3;
    return first >= 0xF0 && first <= 0xF4 ? 4 : 1;
}
