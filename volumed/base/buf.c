/* SPDX-License-Identifier: Apache-2.0 */
/* A doubling byte buffer. */
#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define FIRST_CAPACITY 256

void buf_done(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){ 0 };
}

char *buf_reserve(struct buf *buf, size_t more)
{
    size_t need = buf->size + more + 1;

    if (need < more)
        abort();
    if (need > buf->capacity) {
        size_t capacity = buf->capacity > 0 ? buf->capacity : FIRST_CAPACITY;
        while (capacity < need)
            capacity *= 2;
        buf->data = mem_grow(buf->data, capacity);
        buf->capacity = capacity;
    }
    return buf->data + buf->size;
}

void buf_append(struct buf *buf, const void *data, size_t size)
{
    char *end = buf_reserve(buf, size);

    if (size > 0)
        memcpy(end, data, size);
    buf->size += size;
    buf->data[buf->size] = '\0';
}

void buf_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_vprintf(struct buf *buf, const char *fmt, va_list args)
{
    va_list again;

    va_copy(again, args);
    int length = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (length < 0)
        abort();
    char *end = buf_reserve(buf, (size_t)length);
    (void)vsnprintf(end, (size_t)length + 1, fmt, args); /* measured just above */
    buf->size += (size_t)length;
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    buf_vprintf(buf, fmt, args);
    va_end(args);
}

void buf_consume(struct buf *buf, size_t size)
{
    assert(size <= buf->size);
    buf->size -= size;
    if (size > 0 && buf->data != NULL)
        memmove(buf->data, buf->data + size, buf->size + 1);
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}
