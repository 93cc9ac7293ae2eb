/* SPDX-License-Identifier: Apache-2.0 */
/* One request: made by the loop when its head is complete, answered by a worker, freed by the loop
 * when it is back. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "http/connection.h"
#include "http/head.h"

/* What becomes of the connection when the handler has returned. */
enum call_sequel {
    SEQUEL_FINISH, /* the reply is whole */
    SEQUEL_STREAM,
    SEQUEL_PUMP,
    SEQUEL_WAIT
};

struct http_call {
    struct errand errand;
    struct connection *connection;
    struct worker *worker;
    struct buf text; /* the head's */
    struct head head;
    struct body_reader body;
    struct buf received; /* the decoded body that the loop has collected */
    size_t received_used;
    bool owes_continue;

    struct buf headers; /* of the reply, by http_reply_header */
    bool has_begun;
    bool is_over;
    bool is_chunked;
    bool is_bodiless; /* HEAD, 204, 304 */
    bool keeps_alive;
    enum call_sequel sequel;
    struct http_stream *stream; /* SEQUEL_STREAM */
    int peer_fd;                /* SEQUEL_PUMP */
};

/*
 * Takes a head of 'size' bytes out of connection->in and makes a call of it; NULL with the HTTP
 * status to refuse with.
 */
struct http_call *call_new(struct connection *connection, size_t size, int *status);
void call_free(struct http_call *call);

/* Decodes of the body what has come, into call->received.  -EBADMSG. */
int call_collect(struct http_call *call);

/* True when a worker should have it: the body is whole, or too large to wait for. */
bool call_is_ready(const struct http_call *call);

#endif
