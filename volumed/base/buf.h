/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that grow: output being built, input being collected.  Zero is an empty buffer. Heap-owned;
 * buf_done() frees.  'data' is always followed by a NUL that 'size' does not count, once anything
 * was appended.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "base/base.h"

struct buf {
    char *data;
    size_t size;
    size_t capacity;
};

void buf_done(struct buf *buf);
#define cleanup_buf CLEANUP(buf_done)

/* Makes room for 'more' bytes after the present ones and returns where they go. */
char *buf_reserve(struct buf *buf, size_t more);
void buf_append(struct buf *buf, const void *data, size_t size);
void buf_text(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *buf, const char *fmt, va_list args) PRINTF_LIKE(2, 0);

/* Drops the first 'size' bytes. */
void buf_consume(struct buf *buf, size_t size);
void buf_clear(struct buf *buf);

#endif
