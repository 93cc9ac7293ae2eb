/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two flows.  Each reads only while it holds nothing, so that a slow reader slows its writer down
 * and no more than one read is ever held.  A flow whose reader is gone goes on reading and drops
 * what it gets: its writer must not hang.
 */
#include "http/pump.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/sys.h"
#include "http/socket.h"

struct flow {
    struct buf held;
    bool has_ended;
    bool is_dropped; /* nobody reads it */
};

struct pump {
    struct connection *connection;
    struct watch peer;
    struct flow in;     /* client to peer */
    struct flow out;    /* peer to client */
    bool is_shut;       /* the peer has been told that 'in' has ended */
    bool is_clientless; /* the client is gone; what it sent is still delivered */
};

static void pump_step(struct pump *pump);
static bool pump_is_over(const struct pump *pump);
static void pump_end(struct pump *pump);
static int pump_arm(struct pump *pump);
static void client_ready(struct watch *watch, uint32_t events);
static void peer_ready(struct watch *watch, uint32_t events);
static bool flow_wants(const struct flow *flow);
static bool flow_is_over(const struct flow *flow);
static void flow_read(struct flow *flow, int from_fd, int to_fd, char *scratch);
static void flow_write(struct flow *flow, int to_fd, const char *data, size_t size);
static void flow_flush(struct flow *flow, int to_fd);

void pump_begin(struct connection *connection, int peer_fd)
{
    if (peer_fd < 0) {
        connection_finish(connection, false);
        return;
    }
    struct pump *pump = mem_alloc(sizeof(*pump));
    *pump = (struct pump){
        .connection = connection,
        .peer = { .fd = peer_fd, .ready = peer_ready },
        .in.held = connection->in,
        .out.held = connection->out,
    };
    connection->in = (struct buf){ 0 };
    connection->out = (struct buf){ 0 };
    connection->pump = pump;
    connection_enter(connection, CONNECTION_PUMPING, client_ready);
    int rc = socket_set_nonblocking(peer_fd);
    if (rc < 0) {
        log_error("cannot pump fd=%d errno=%d", peer_fd, -rc);
        connection_close(connection);
        return;
    }
    pump_step(pump);
}

void pump_free(struct pump *pump)
{
    if (pump == NULL)
        return;
    loop_drop(&pump->connection->server->loop, &pump->peer);
    sys_close_fd(&pump->peer.fd);
    buf_done(&pump->in.held);
    buf_done(&pump->out.held);
    free(pump);
}

/* Does what can be done now and waits for the rest.  May free the pump. */
static void pump_step(struct pump *pump)
{
    flow_flush(&pump->in, pump->peer.fd);
    flow_flush(&pump->out, pump->connection->watch.fd);
    if (flow_is_over(&pump->in) && !pump->is_shut) {
        pump->is_shut = true;
        (void)shutdown(pump->peer.fd, SHUT_WR); /* a peer that is no socket has no half-close */
    }
    if (pump_is_over(pump))
        pump_end(pump);
    else if (pump_arm(pump) < 0)
        connection_close(pump->connection);
}

static bool pump_is_over(const struct pump *pump)
{
    return flow_is_over(&pump->out) || (pump->is_clientless && flow_is_over(&pump->in));
}

static void pump_end(struct pump *pump)
{
    struct connection *connection = pump->connection;
    bool is_clientless = pump->is_clientless;

    connection->pump = NULL;
    pump_free(pump);
    if (is_clientless)
        connection_close(connection);
    else
        connection_finish(connection, false);
}

static int pump_arm(struct pump *pump)
{
    struct loop *loop = &pump->connection->server->loop;
    uint32_t client =
        (flow_wants(&pump->in) ? EPOLLIN : 0u) | (pump->out.held.size > 0 ? EPOLLOUT : 0u);
    uint32_t peer =
        (flow_wants(&pump->out) ? EPOLLIN : 0u) | (pump->in.held.size > 0 ? EPOLLOUT : 0u);
    int rc = 0;

    /* With nothing to do, its loss is all that the client can still tell: once. */
    if (client != 0 || !pump->is_clientless)
        rc = loop_arm(loop, &pump->connection->watch, client);
    if (rc == 0 && peer != 0)
        rc = loop_arm(loop, &pump->peer, peer);
    if (rc < 0)
        log_error("cannot pump fd=%d errno=%d", pump->peer.fd, -rc);
    return rc;
}

static void client_ready(struct watch *watch, uint32_t events)
{
    struct connection *connection = container_of(watch, struct connection, watch);
    struct pump *pump = connection->pump;

    if ((events & (EPOLLHUP | EPOLLERR)) != 0 && !pump->is_clientless) {
        pump->is_clientless = true;
        pump->out.is_dropped = true;
        connection_limit(connection, connection->server->limits.linger_ms);
    }
    if (flow_wants(&pump->in))
        flow_read(&pump->in, watch->fd, pump->peer.fd, connection->server->scratch);
    pump_step(pump);
}

static void peer_ready(struct watch *watch, uint32_t events)
{
    struct pump *pump = container_of(watch, struct pump, peer);

    (void)events; /* reading and writing tell all that they could */
    if (flow_wants(&pump->out))
        flow_read(&pump->out, watch->fd, pump->connection->watch.fd,
                  pump->connection->server->scratch);
    pump_step(pump);
}

static bool flow_wants(const struct flow *flow)
{
    return !flow->has_ended && flow->held.size == 0;
}

static bool flow_is_over(const struct flow *flow)
{
    return flow->has_ended && flow->held.size == 0;
}

static void flow_read(struct flow *flow, int from_fd, int to_fd, char *scratch)
{
    ssize_t got = socket_read(from_fd, scratch, SERVER_SCRATCH_SIZE);

    if (got > 0)
        flow_write(flow, to_fd, scratch, (size_t)got);
    else if (got != -EAGAIN) /* also a lost connection, or a terminal's EIO, is an end */
        flow->has_ended = true;
}

static void flow_write(struct flow *flow, int to_fd, const char *data, size_t size)
{
    ssize_t sent = flow->is_dropped ? (ssize_t)size : socket_write(to_fd, data, size);

    if (sent < 0 && sent != -EAGAIN) {
        flow->is_dropped = true;
        return;
    }
    size_t done = sent > 0 ? (size_t)sent : 0;
    if (done < size)
        buf_append(&flow->held, data + done, size - done);
}

static void flow_flush(struct flow *flow, int to_fd)
{
    struct buf *held = &flow->held;

    if (held->size > 0 && !flow->is_dropped) {
        ssize_t sent = socket_write(to_fd, held->data, held->size);
        flow->is_dropped = sent < 0 && sent != -EAGAIN;
        buf_consume(held, sent > 0 ? (size_t)sent : 0);
    }
    if (held->size == 0 || flow->is_dropped)
        buf_done(held);
}
