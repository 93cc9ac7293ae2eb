/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 over a Unix socket, as a client that asks one thing a connection: bodies whole or from a
 * descriptor, replies of a length, chunked or until close, and Docker's upgraded streams.  It knows
 * no path and no noun.
 */
#ifndef VOLCTL_CLIENT_H
#define VOLCTL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

/* Told about once a second while something takes long; bytes is what was sent so far. */
struct ticker {
    void (*tick)(void *context, int64_t elapsed_ms, int64_t bytes);
    void *context;
};

struct request {
    const char *method;
    const char *path; /* with its query, encoded (url.h) */
    const char *idempotency_key;
    const char *content_type; /* NULL: no body */
    const void *body;
    size_t body_size;
    bool is_upload; /* the body is all that body_fd gives, in chunks */
    int body_fd;
    bool is_upgrade; /* asks for a two-way stream */
    const struct ticker *ticker;
};

/* A reply whose head was read.  Zero is a closed one. */
struct reply {
    bool is_open;
    int fd;
    int status;
    bool is_chunked;
    bool is_ended;
    int64_t left; /* bytes of the body or the chunk still to come; -1: until close */
    struct buf in;
};

#define CLIENT_UNREACHABLE \
    "cannot connect to " /* how the error of client_ask begins where no server is */

/* Sends a request to the server at 'socket' and reads the reply's head, whatever its status. */
int client_ask(const char *socket, const struct request *request, struct reply *reply,
               struct error *err);

/* The next bytes of the body, 0 at its end.  A body that is broken off is SYSTEM. */
ssize_t reply_read(struct reply *reply, void *data, size_t size, struct error *err);

/* True when reply_read has something without waiting for the socket. */
bool reply_has_buffered(const struct reply *reply);

/* The rest of the body, at most 'max' bytes, appended to 'body'. */
int reply_read_all(struct reply *reply, size_t max, struct buf *body, struct error *err);

void reply_done(struct reply *reply);
#define cleanup_reply CLEANUP(reply_done)

#endif
