/* SPDX-License-Identifier: Apache-2.0 */
/* A reply without an end in sight: waits on the loop, produces on a worker, ends with its client.
 */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include "http/request.h"

struct stream;

/* Takes over call->stream.  Its head has been sent. */
void stream_begin(struct connection *connection, const struct http_call *call);

/* The client is gone: releases the stream now, or when its worker is back.  NULL is fine. */
void stream_lose(struct stream *stream);

#endif
