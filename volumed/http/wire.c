/* SPDX-License-Identifier: Apache-2.0 */
/* Sending and receiving, with and without waiting. */
#include "http/wire.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>

#define PIECE_SIZE ((size_t)64 << 10)

static void keep_unsent(struct connection *connection, const struct iovec *pieces, int count,
                        size_t sent);

struct iovec wire_piece(const void *data, size_t size)
{
    union {
        const void *read_only;
        void *plain;
    } base = { .read_only = data };

    return (struct iovec){ .iov_base = base.plain, .iov_len = size };
}

int wire_send(struct connection *connection, const struct iovec *pieces, int count)
{
    ssize_t sent = 0;

    if (connection->is_broken)
        return -EPIPE;
    if (connection->out.size == 0)
        sent = socket_send(connection->watch.fd, pieces, count);
    if (sent < 0 && sent != -EAGAIN) {
        connection->is_broken = true;
        return (int)sent;
    }
    keep_unsent(connection, pieces, count, sent > 0 ? (size_t)sent : 0);
    return 0;
}

int wire_flush(struct connection *connection)
{
    struct iovec piece = { .iov_base = connection->out.data, .iov_len = connection->out.size };

    if (connection->is_broken)
        return -EPIPE;
    if (piece.iov_len == 0)
        return 0;
    ssize_t sent = socket_send(connection->watch.fd, &piece, 1);
    if (sent == -EAGAIN)
        return 0;
    if (sent < 0) {
        connection->is_broken = true;
        return (int)sent;
    }
    buf_consume(&connection->out, (size_t)sent);
    if (connection->out.size == 0)
        buf_done(&connection->out);
    return 0;
}

int wire_push(struct connection *connection)
{
    int64_t stall_ms = connection->server->limits.stall_ms;

    for (;;) {
        int rc = wire_flush(connection);
        if (rc < 0 || connection->out.size == 0)
            return rc;
        if (socket_wait(connection->watch.fd, POLLOUT, stall_ms) == 0) {
            connection->is_broken = true;
            return -ETIMEDOUT;
        }
    }
}

ssize_t wire_read(struct connection *connection)
{
    struct buf *in = &connection->in;
    ssize_t got =
        socket_receive(connection->watch.fd, connection->server->scratch, SERVER_SCRATCH_SIZE);

    if (got > 0)
        buf_append(in, connection->server->scratch, (size_t)got);
    return got;
}

ssize_t wire_fill(struct connection *connection)
{
    struct buf *in = &connection->in;
    int64_t stall_ms = connection->server->limits.stall_ms;

    for (;;) {
        char *end = buf_reserve(in, PIECE_SIZE);
        ssize_t got = socket_receive(connection->watch.fd, end, PIECE_SIZE);
        if (got > 0)
            in->size += (size_t)got;
        if (got != -EAGAIN)
            return got;
        if (socket_wait(connection->watch.fd, POLLIN, stall_ms) == 0)
            return -ETIMEDOUT;
    }
}

static void keep_unsent(struct connection *connection, const struct iovec *pieces, int count,
                        size_t sent)
{
    for (int i = 0; i < count; i++) {
        size_t skipped = sent < pieces[i].iov_len ? sent : pieces[i].iov_len;
        sent -= skipped;
        if (skipped < pieces[i].iov_len)
            buf_append(&connection->out, (const char *)pieces[i].iov_base + skipped,
                       pieces[i].iov_len - skipped);
    }
    assert(sent == 0);
}
