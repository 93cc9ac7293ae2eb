/* SPDX-License-Identifier: Apache-2.0 */
/* The chunked transfer coding (RFC 9112 section 7.1), both ways.  Trailers are read and dropped. */
#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

#include <stdint.h>

#include "base/buf.h"

#define CHUNK_LAST         "0\r\n\r\n"
#define CHUNK_HEAD_SIZE    20 /* holds any size line and its NUL */
#define CHUNK_LINE_MAX     256
#define CHUNK_TRAILERS_MAX ((size_t)8 << 10)

/* Where decoding takes from and puts to; both advance. */
struct pass {
    const char *in;
    size_t in_size;
    char *out;
    size_t out_room;
};

enum chunk_state {
    CHUNK_SIZE, /* digits of the size line */
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER, /* first byte of a trailer line, or of the last blank one */
    CHUNK_TRAILER_LINE,
    CHUNK_TRAILER_LF,
    CHUNK_END_LF,
    CHUNK_END
};

/* Zero is the beginning of a body. */
struct chunk_reader {
    enum chunk_state state;
    uint64_t left;    /* of this chunk */
    size_t line_size; /* bytes of this size line, or of all trailers */
};

/* Decodes what there is room for.  1: the body has ended; 0: more is needed; -EBADMSG. */
int chunk_decode(struct chunk_reader *reader, struct pass *pass);

/* The size line of a chunk; returns its length. */
size_t chunk_head(char head[CHUNK_HEAD_SIZE], size_t size);

/* Appends a whole chunk; nothing when 'size' is 0, which would end the body. */
void chunk_append(struct buf *out, const void *data, size_t size);

#endif
