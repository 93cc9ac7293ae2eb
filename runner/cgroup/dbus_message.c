/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire format: putting values into bodies, reading messages that others have made.  Every
 * length that comes from outside is compared with what is left before it is used.
 */
#include <errno.h>
#include <string.h>

#include "runner/cgroup/dbus.h"

#define HEAD_SIZE 16 /* up to the first header field */

enum header_field {
    FIELD_MEMBER = 3,
    FIELD_ERROR_NAME = 4,
    FIELD_REPLY_SERIAL = 5,
    FIELD_SIGNATURE = 8,
};

/* A part of a message that is being read. */
struct span {
    const unsigned char *data;
    size_t size;
    size_t at;
};

static void put(struct dbus_body *body, const void *data, size_t size);
static int take_field(struct span *span, struct dbus_message *message);
static int take(struct span *span, size_t alignment, size_t size, const unsigned char **data);
static int take_u32(struct span *span, uint32_t *value);
static int take_text(struct span *span, const char **text);
static int take_signature(struct span *span, const char **text);
static int take_chars(struct span *span, size_t length, const char **text);
static uint32_t u32_at(const unsigned char *data);

void dbus_put_u8(struct dbus_body *body, uint8_t value)
{
    put(body, &value, sizeof(value));
}

void dbus_put_u32(struct dbus_body *body, uint32_t value)
{
    dbus_align(body, sizeof(value));
    put(body, &value, sizeof(value));
}

void dbus_put_u64(struct dbus_body *body, uint64_t value)
{
    dbus_align(body, sizeof(value));
    put(body, &value, sizeof(value));
}

void dbus_put_text(struct dbus_body *body, const char *text)
{
    dbus_put_u32(body, (uint32_t)strlen(text));
    put(body, text, strlen(text) + 1);
}

void dbus_put_signature(struct dbus_body *body, const char *signature)
{
    dbus_put_u8(body, (uint8_t)strlen(signature)); /* ours: short */
    put(body, signature, strlen(signature) + 1);
}

void dbus_align(struct dbus_body *body, size_t alignment)
{
    static const unsigned char zeros[8];

    put(body, zeros, (alignment - body->size % alignment) % alignment);
}

size_t dbus_array_begin(struct dbus_body *body, size_t alignment)
{
    dbus_put_u32(body, 0);
    size_t begin = body->size;
    dbus_align(body, alignment);
    return begin;
}

/* Its length does not count what aligns its first item. */
void dbus_array_end(struct dbus_body *body, size_t begin, size_t alignment)
{
    size_t first = (begin + alignment - 1) / alignment * alignment;
    uint32_t size = (uint32_t)(body->size - first);

    if (!body->is_full)
        memcpy(body->data + begin - sizeof(size), &size, sizeof(size));
}

size_t dbus_message_size(const unsigned char head[16])
{
    uint64_t body_size = u32_at(head + 4);
    uint64_t fields_size = u32_at(head + 12);
    uint64_t size = HEAD_SIZE + (fields_size + 7) / 8 * 8 + body_size;

    if (head[0] != 'l' || head[3] != 1 || size > DBUS_MESSAGE_MAX)
        return 0;
    return (size_t)size;
}

int dbus_message_read(const unsigned char *data, size_t size, struct dbus_message *message,
                      struct error *err)
{
    struct dbus_message read = { .member = "", .error_name = "", .signature = "" };

    if (size < HEAD_SIZE || dbus_message_size(data) != size)
        return fail(err, ERR_INVALID, "a D-Bus message has a wrong size");
    size_t fields_end = HEAD_SIZE + u32_at(data + 12);
    struct span span = { data, fields_end, HEAD_SIZE };
    read.type = (enum dbus_type)data[1];
    while (span.at < span.size)
        if (take_field(&span, &read) < 0)
            return fail(err, ERR_INVALID, "a D-Bus message has a damaged head");
    read.body_size = u32_at(data + 4);
    read.body = data + size - read.body_size;
    *message = read;
    return 0;
}

int dbus_get_u32(struct dbus_message *message, uint32_t *value)
{
    struct span span = { message->body, message->body_size, message->at };
    int rc = take_u32(&span, value);

    message->at = span.at;
    return rc;
}

int dbus_get_text(struct dbus_message *message, const char **text)
{
    struct span span = { message->body, message->body_size, message->at };
    int rc = take_text(&span, text);

    message->at = span.at;
    return rc;
}

static void put(struct dbus_body *body, const void *data, size_t size)
{
    if (size > sizeof(body->data) - body->size) {
        body->is_full = true;
        return;
    }
    memcpy(body->data + body->size, data, size);
    body->size += size;
}

/* A byte that names the field, the signature of its value, the value. */
static int take_field(struct span *span, struct dbus_message *message)
{
    const unsigned char *code = NULL;
    const char *signature = "";
    const char *text = "";
    uint32_t number = 0;
    int rc = take(span, 8, 1, &code);

    if (rc == 0)
        rc = take_signature(span, &signature);
    if (rc == 0 && (strcmp(signature, "s") == 0 || strcmp(signature, "o") == 0))
        rc = take_text(span, &text);
    else if (rc == 0 && strcmp(signature, "g") == 0)
        rc = take_signature(span, &text);
    else if (rc == 0 && strcmp(signature, "u") == 0)
        rc = take_u32(span, &number);
    else
        rc = -EBADMSG;
    if (rc < 0)
        return rc;
    switch (*code) {
    case FIELD_MEMBER: message->member = text; break;
    case FIELD_ERROR_NAME: message->error_name = text; break;
    case FIELD_REPLY_SERIAL: message->reply_to = number; break;
    case FIELD_SIGNATURE: message->signature = text; break;
    default: break;
    }
    return 0;
}

static int take(struct span *span, size_t alignment, size_t size, const unsigned char **data)
{
    size_t begin = (span->at + alignment - 1) / alignment * alignment;

    if (begin > span->size || size > span->size - begin)
        return -EBADMSG;
    *data = span->data + begin;
    span->at = begin + size;
    return 0;
}

static int take_u32(struct span *span, uint32_t *value)
{
    const unsigned char *data;

    if (take(span, sizeof(*value), sizeof(*value), &data) < 0)
        return -EBADMSG;
    *value = u32_at(data);
    return 0;
}

static int take_text(struct span *span, const char **text)
{
    uint32_t length = 0;

    if (take_u32(span, &length) < 0)
        return -EBADMSG;
    return take_chars(span, length, text);
}

static int take_signature(struct span *span, const char **text)
{
    const unsigned char *length;

    if (take(span, 1, 1, &length) < 0)
        return -EBADMSG;
    return take_chars(span, *length, text);
}

/* NUL-terminated, and there only. */
static int take_chars(struct span *span, size_t length, const char **text)
{
    const unsigned char *chars;

    if (length >= span->size || take(span, 1, length + 1, &chars) < 0 || chars[length] != '\0' ||
        strlen((const char *)chars) != length)
        return -EBADMSG;
    *text = (const char *)chars;
    return 0;
}

static uint32_t u32_at(const unsigned char *data)
{
    return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
           (uint32_t)data[3] << 24;
}
