/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a request's body, however it is framed. */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <stdbool.h>

#include "http/chunk.h"

enum body_kind {
    BODY_NONE,
    BODY_SIZED,
    BODY_CHUNKED
};

/* Zero is a request without a body. */
struct body_reader {
    enum body_kind kind;
    bool is_done;  /* all of it was decoded */
    uint64_t left; /* BODY_SIZED */
    struct chunk_reader chunks;
};

void body_init(struct body_reader *body, enum body_kind kind, uint64_t size);

/* Decodes what there is room for and sets is_done at the end.  Returns 0 or -EBADMSG. */
int body_decode(struct body_reader *body, struct pass *pass);

#endif
