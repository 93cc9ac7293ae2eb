/* SPDX-License-Identifier: Apache-2.0 */
/* A byte at a time through the framing, in whole runs through the data. */
#include "http/chunk.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "http/text.h"

static void data_copy(struct chunk_reader *reader, struct pass *pass);
static int framing_step(struct chunk_reader *reader, char byte);
static int size_step(struct chunk_reader *reader, char byte);
static int extension_step(struct chunk_reader *reader, char byte);
static int trailer_step(struct chunk_reader *reader, char byte);
static int trailer_line_step(struct chunk_reader *reader, char byte);
static int expect(struct chunk_reader *reader, char byte, char expected, enum chunk_state next);
static int move_to(struct chunk_reader *reader, enum chunk_state next);

int chunk_decode(struct chunk_reader *reader, struct pass *pass)
{
    while (reader->state != CHUNK_END && pass->in_size > 0) {
        if (reader->state == CHUNK_DATA) {
            if (pass->out_room == 0)
                return 0;
            data_copy(reader, pass);
            continue;
        }
        char byte = *pass->in++;
        pass->in_size--;
        if (framing_step(reader, byte) < 0)
            return -EBADMSG;
    }
    return reader->state == CHUNK_END ? 1 : 0;
}

size_t chunk_head(char head[CHUNK_HEAD_SIZE], size_t size)
{
    return (size_t)snprintf(head, CHUNK_HEAD_SIZE, "%zx\r\n", size);
}

void chunk_append(struct buf *out, const void *data, size_t size)
{
    char head[CHUNK_HEAD_SIZE];

    if (size == 0)
        return;
    buf_append(out, head, chunk_head(head, size));
    buf_append(out, data, size);
    buf_append(out, "\r\n", 2);
}

static void data_copy(struct chunk_reader *reader, struct pass *pass)
{
    size_t size = pass->in_size < pass->out_room ? pass->in_size : pass->out_room;

    if (size > reader->left)
        size = (size_t)reader->left;
    memcpy(pass->out, pass->in, size);
    pass->in += size;
    pass->in_size -= size;
    pass->out += size;
    pass->out_room -= size;
    reader->left -= size;
    if (reader->left == 0)
        reader->state = CHUNK_DATA_CR;
}

static int framing_step(struct chunk_reader *reader, char byte)
{
    switch (reader->state) {
    case CHUNK_SIZE: return size_step(reader, byte);
    case CHUNK_EXTENSION: return extension_step(reader, byte);
    case CHUNK_SIZE_LF:
        reader->line_size = 0;
        return expect(reader, byte, '\n', reader->left > 0 ? CHUNK_DATA : CHUNK_TRAILER);
    case CHUNK_DATA_CR: return expect(reader, byte, '\r', CHUNK_DATA_LF);
    case CHUNK_DATA_LF: return expect(reader, byte, '\n', CHUNK_SIZE);
    case CHUNK_TRAILER: return trailer_step(reader, byte);
    case CHUNK_TRAILER_LINE: return trailer_line_step(reader, byte);
    case CHUNK_TRAILER_LF: return expect(reader, byte, '\n', CHUNK_TRAILER);
    case CHUNK_END_LF: return expect(reader, byte, '\n', CHUNK_END);
    case CHUNK_DATA:
    case CHUNK_END: break; /* not framing */
    }
    return -EBADMSG;
}

static int size_step(struct chunk_reader *reader, char byte)
{
    int digit = text_hex_digit(byte);

    if (digit >= 0) {
        if (reader->left >> 55 != 0) /* stays below INT64_MAX */
            return -EBADMSG;
        reader->left = reader->left << 4 | (uint64_t)digit;
        return ++reader->line_size > CHUNK_LINE_MAX ? -EBADMSG : 0;
    }
    if (reader->line_size == 0)
        return -EBADMSG;
    if (byte == '\r')
        return move_to(reader, CHUNK_SIZE_LF);
    return byte == ';' ? move_to(reader, CHUNK_EXTENSION) : -EBADMSG;
}

static int extension_step(struct chunk_reader *reader, char byte)
{
    if (byte == '\r')
        return move_to(reader, CHUNK_SIZE_LF);
    return text_is_value(byte) && ++reader->line_size <= CHUNK_LINE_MAX ? 0 : -EBADMSG;
}

static int trailer_step(struct chunk_reader *reader, char byte)
{
    if (byte == '\r')
        return move_to(reader, CHUNK_END_LF);
    if (!text_is_token(byte)) /* a space here would be a folded line */
        return -EBADMSG;
    reader->line_size++;
    return move_to(reader, CHUNK_TRAILER_LINE);
}

static int trailer_line_step(struct chunk_reader *reader, char byte)
{
    if (byte == '\r')
        return move_to(reader, CHUNK_TRAILER_LF);
    return text_is_value(byte) && ++reader->line_size <= CHUNK_TRAILERS_MAX ? 0 : -EBADMSG;
}

static int expect(struct chunk_reader *reader, char byte, char expected, enum chunk_state next)
{
    return byte == expected ? move_to(reader, next) : -EBADMSG;
}

static int move_to(struct chunk_reader *reader, enum chunk_state next)
{
    reader->state = next;
    return 0;
}
