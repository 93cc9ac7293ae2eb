/* SPDX-License-Identifier: Apache-2.0 */
/* Content-Length counted down; chunks are chunk.c's. */
#include "http/body.h"

#include <string.h>

static void sized_copy(struct body_reader *body, struct pass *pass);

void body_init(struct body_reader *body, enum body_kind kind, uint64_t size)
{
    *body = (struct body_reader){
        .kind = kind,
        .left = size,
        .is_done = kind == BODY_NONE || (kind == BODY_SIZED && size == 0),
    };
}

int body_decode(struct body_reader *body, struct pass *pass)
{
    if (body->is_done || pass->in_size == 0)
        return 0;
    if (body->kind == BODY_SIZED) {
        sized_copy(body, pass);
        return 0;
    }
    int rc = chunk_decode(&body->chunks, pass);
    body->is_done = rc == 1;
    return rc < 0 ? rc : 0;
}

static void sized_copy(struct body_reader *body, struct pass *pass)
{
    size_t size = pass->in_size < pass->out_room ? pass->in_size : pass->out_room;

    if (size > body->left)
        size = (size_t)body->left;
    if (size > 0)
        memcpy(pass->out, pass->in, size);
    pass->in += size;
    pass->in_size -= size;
    pass->out += size;
    pass->out_room -= size;
    body->left -= size;
    body->is_done = body->left == 0;
}
