/* SPDX-License-Identifier: Apache-2.0 */
/* Tags, variable-length numbers, lengths. */
#include "runner/checkpoint/protobuf.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum wire_type {
    WIRE_NUMBER = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5,
};

static void put_varint(struct buf *message, uint64_t value);
static void put_bytes(struct buf *message, uint32_t field, const char *bytes, size_t size);
static bool take_varint(struct protobuf *message, uint64_t *value);
static int take_bytes(struct protobuf *message, uint64_t size);

void protobuf_number(struct buf *message, uint32_t field, int64_t value)
{
    put_varint(message, (uint64_t)field << 3 | WIRE_NUMBER);
    put_varint(message, (uint64_t)value);
}

void protobuf_text(struct buf *message, uint32_t field, const char *text)
{
    put_bytes(message, field, text, strlen(text));
}

void protobuf_message(struct buf *message, uint32_t field, const struct buf *inner)
{
    put_bytes(message, field, inner->data, inner->size);
}

int protobuf_next(struct protobuf *message)
{
    uint64_t tag = 0;
    uint64_t size = 0;

    message->number = 0;
    message->bytes = NULL;
    message->size = 0;
    if (message->at == message->end)
        return 0;
    if (!take_varint(message, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX)
        return -EBADMSG;
    message->field = (uint32_t)(tag >> 3);
    switch (tag & 7) {
    case WIRE_NUMBER: return take_varint(message, &message->number) ? 1 : -EBADMSG;
    case WIRE_BYTES: return take_varint(message, &size) ? take_bytes(message, size) : -EBADMSG;
    case WIRE_FIXED64: return take_bytes(message, sizeof(uint64_t)); /* none is of interest */
    case WIRE_FIXED32: return take_bytes(message, sizeof(uint32_t));
    default: return -EBADMSG;
    }
}

static void put_varint(struct buf *message, uint64_t value)
{
    unsigned char byte;

    do {
        byte = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        buf_append(message, &byte, 1);
        value >>= 7;
    } while (value > 0);
}

static void put_bytes(struct buf *message, uint32_t field, const char *bytes, size_t size)
{
    put_varint(message, (uint64_t)field << 3 | WIRE_BYTES);
    put_varint(message, size);
    buf_append(message, bytes, size);
}

static bool take_varint(struct protobuf *message, uint64_t *value)
{
    *value = 0;
    for (unsigned int shift = 0; shift < 64 && message->at < message->end; shift += 7) {
        unsigned char byte = (unsigned char)*message->at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return true;
    }
    return false;
}

static int take_bytes(struct protobuf *message, uint64_t size)
{
    if (size > (uint64_t)(message->end - message->at))
        return -EBADMSG;
    message->bytes = message->at;
    message->size = (size_t)size;
    message->at += size;
    return 1;
}
