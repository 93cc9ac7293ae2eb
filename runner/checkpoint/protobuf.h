/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of Protocol Buffers' encoding as a few small messages of criu's need: whole numbers, and
 * bytes (texts and messages within messages).  Which field means what is its callers' business.
 */
#ifndef RUNNER_PROTOBUF_H
#define RUNNER_PROTOBUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

void protobuf_number(struct buf *message, uint32_t field, int64_t value);
void protobuf_text(struct buf *message, uint32_t field, const char *text);
void protobuf_message(struct buf *message, uint32_t field, const struct buf *inner);

/* A walk through the fields of a message; begins with 'at' and 'end' set. */
struct protobuf {
    const char *at;
    const char *end;
    uint32_t field;
    uint64_t number;   /* of a number, else 0 */
    const char *bytes; /* of bytes, not terminated; else NULL */
    size_t size;
};

/* Steps to the next field.  Returns 1, 0 at the end, or -EBADMSG. */
int protobuf_next(struct protobuf *message);

#endif
