/* SPDX-License-Identifier: Apache-2.0 */
/* Replies as the loop and the hijack see them; handlers use http.h. */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "http/request.h"

/* After the handler: answers 500 where nothing was, breaks off what has no end. */
void reply_complete(struct http_call *call);

/* Appends a whole reply of one line, for a request that no handler sees.  The connection ends with
 * it. */
void reply_refusal(struct buf *out, int status);

/* Sends the head that turns the connection into a pipe. */
int reply_hijack(struct http_call *call, const char *content_type, struct error *err);

/* The reason phrase. */
const char *reply_reason(int status);

#endif
