/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes between a connection's buffers and its socket.  Called by whoever owns the connection. */
#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H

#include <sys/uio.h>

#include "http/connection.h"

/* A piece of what is to be sent; only read, though iov_base is not const. */
struct iovec wire_piece(const void *data, size_t size);

/* Sends at once what the client takes; the rest is kept in 'out'.  Never blocks.  Returns -errno
 * when the connection is broken. */
int wire_send(struct connection *connection, const struct iovec *pieces, int count);

/* Sends of 'out' what the client takes.  Never blocks. */
int wire_flush(struct connection *connection);

/* Blocks until 'out' is empty; -ETIMEDOUT when the client took nothing for the stall limit. */
int wire_push(struct connection *connection);

/* Receives into 'in' what is there.  Never blocks: -EAGAIN.  0 at the end. */
ssize_t wire_read(struct connection *connection);

/* As wire_read, but waits for the first byte, at most for the stall limit: -ETIMEDOUT. */
ssize_t wire_fill(struct connection *connection);

#endif
