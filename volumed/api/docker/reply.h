/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes between core and the client: the body as a source, the reply as a sink, and replies that
 * are a row of JSON messages (progress).  All begin their reply with the first byte, so that a
 * failure before it still becomes an ordinary error answer.
 */
#ifndef API_DOCKER_REPLY_H
#define API_DOCKER_REPLY_H

#include "api/call.h"
#include "core/image/image.h"

/* The request's body, however long. */
struct byte_source reply_body_source(struct call *call);

struct reply_bytes {
    struct call *call;
    const char *content_type;
};

/* 'bytes' must outlive the sink. */
struct byte_sink reply_sink(struct reply_bytes *bytes);

/* Ends a reply that went well, also one without a byte. */
int reply_bytes_end(struct reply_bytes *bytes, struct error *err);

/* Messages go out as they are reported; a client that is gone is noticed by the work itself. */
struct progress reply_progress(struct call *call);
void reply_message(struct call *call, const json_t *message);

/*
 * Ends a row of messages; 'rc' is the work's result and *err its error.  After a message went out,
 * an error becomes the last message, as Docker's clients expect it; before, it is left to the
 * caller (-1).
 */
int reply_messages_end(struct call *call, int rc, struct error *err);

#endif
