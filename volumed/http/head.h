/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request's head, read strictly (RFC 9112): what two readers could take in two ways is refused.
 * Bare LF or CR, folded lines, a space before the colon, Content-Length with Transfer-Encoding or
 * twice, codings other than chunked, a missing or second Host.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <sys/types.h>

#include "http/body.h"

#define HEAD_FIELDS_MAX 100

struct field {
    const char *name;
    const char *value;
};

/* All text points into what was parsed. */
struct head {
    const char *method;
    const char *path;  /* decoded */
    const char *query; /* as sent; "" when absent */
    int minor;         /* HTTP/1.x */
    size_t field_count;
    struct field fields[HEAD_FIELDS_MAX];
    enum body_kind body_kind;
    uint64_t body_size;
    bool keeps_alive;
    bool expects_continue;
    bool wants_upgrade;
};

/*
 * Looks for the end of the head.  Returns its size with the blank line, 0 when more is needed, or
 * the negative HTTP status to refuse with.  *scanned (0 at first) remembers how far it has looked.
 */
ssize_t head_scan(const char *data, size_t size, size_t *scanned);

/* Takes the head apart, in place.  Returns 0 or the HTTP status to refuse with. */
int head_parse(struct head *head, char *text, size_t size);

/* The first field of that name, in any case; NULL if absent. */
const char *head_find(const struct head *head, const char *name);

#endif
