/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to calls and back: the states in which a connection is between requests, in the midst
 * of one that is still arriving, or at its end. */
#include "http/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "http/pump.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/stream.h"
#include "http/ticket.h"
#include "http/wire.h"

static void receive_ready(struct watch *watch, uint32_t events);
static void flush_ready(struct watch *watch, uint32_t events);
static void linger_ready(struct watch *watch, uint32_t events);
static void begin_request(struct connection *connection);
static void advance(struct connection *connection);
static bool take_head(struct connection *connection);
static void skip_blank_lines(struct connection *connection);
static void wait_for_head(struct connection *connection);
static void take_body(struct connection *connection);
static void refuse(struct connection *connection, int status);
static void flush(struct connection *connection);
static void linger(struct connection *connection);
static struct connection *connection_of(struct watch *watch);

void connection_open(struct listener *listener, int fd)
{
    struct connection *connection = mem_alloc(sizeof(*connection));
    struct http_server *server = listener->server;

    *connection = (struct connection){
        .server = server,
        .listener = listener,
        .watch = { .fd = fd },
        .is_unix = socket_is_unix(fd),
        .peer = socket_peer(fd),
    };
    list_append(&server->connections, &connection->link);
    server->connection_count++;
    begin_request(connection);
}

void connection_close(struct connection *connection)
{
    struct http_server *server = connection->server;

    loop_drop(&server->loop, &connection->watch);
    stream_lose(connection->stream);
    pump_free(connection->pump);
    ticket_free(connection->ticket);
    call_free(connection->call);
    sys_close_fd(&connection->watch.fd);
    buf_done(&connection->in);
    buf_done(&connection->out);
    list_remove(&connection->link);
    server->connection_count--;
    free(connection);
}

void connection_expire(struct connection *connection)
{
    bool is_half_read =
        connection->state == CONNECTION_HEAD || connection->state == CONNECTION_BODY;

    connection->deadline_ms = 0;
    if (is_half_read)
        refuse(connection, 408);
    else
        connection_close(connection);
}

void connection_finish(struct connection *connection, bool keeps_alive)
{
    connection->keeps_alive = keeps_alive && !connection->server->is_stopping;
    connection_enter(connection, CONNECTION_FLUSHING, flush_ready);
    flush(connection);
}

int connection_arm(struct connection *connection, uint32_t events)
{
    int rc = loop_arm(&connection->server->loop, &connection->watch, events);

    if (rc == 0)
        return 0;
    log_warn("cannot watch a connection errno=%d", -rc);
    connection_close(connection);
    return -1;
}

uint32_t connection_loss_events(const struct connection *connection)
{
    return connection->is_unix ? 0 : EPOLLRDHUP;
}

bool connection_is_lost(const struct connection *connection, uint32_t events)
{
    return (events & (EPOLLHUP | EPOLLERR | connection_loss_events(connection))) != 0;
}

void connection_limit(struct connection *connection, int64_t limit_ms)
{
    if (limit_ms == 0) {
        connection->deadline_ms = 0;
        return;
    }
    connection->deadline_ms = clock_mono_ms() + limit_ms;
    server_sweep_by(connection->server, connection->deadline_ms);
}

void connection_enter(struct connection *connection, enum connection_state state,
                      void (*ready)(struct watch *watch, uint32_t events))
{
    connection->state = state;
    connection->watch.ready = ready;
    connection->deadline_ms = 0;
}

static void receive_ready(struct watch *watch, uint32_t events)
{
    struct connection *connection = connection_of(watch);
    ssize_t got = wire_read(connection);

    (void)events; /* reading tells all that they could */
    if (got > 0 || got == -EAGAIN)
        advance(connection);
    else
        connection_close(connection);
}

static void flush_ready(struct watch *watch, uint32_t events)
{
    (void)events; /* sending tells all that they could */
    flush(connection_of(watch));
}

/* Waits for the client's end: closing with its bytes unread would take the reply away from it. */
static void linger_ready(struct watch *watch, uint32_t events)
{
    struct connection *connection = connection_of(watch);
    ssize_t got = socket_receive(watch->fd, connection->server->scratch, SERVER_SCRATCH_SIZE);

    (void)events; /* reading tells all that they could */
    if (got > 0 || got == -EAGAIN)
        (void)connection_arm(connection, EPOLLIN); /* or it is closed, which is as well */
    else
        connection_close(connection);
}

static void begin_request(struct connection *connection)
{
    connection_enter(connection, CONNECTION_IDLE, receive_ready);
    connection->scanned = 0;
    advance(connection);
}

/* Goes as far as what has been received allows. */
static void advance(struct connection *connection)
{
    bool is_between = connection->state == CONNECTION_IDLE || connection->state == CONNECTION_HEAD;

    if (!is_between || take_head(connection))
        take_body(connection);
}

/* True when there is a call now. */
static bool take_head(struct connection *connection)
{
    int status = 0;

    skip_blank_lines(connection);
    ssize_t size = head_scan(connection->in.data, connection->in.size, &connection->scanned);
    if (size == 0) {
        wait_for_head(connection);
        return false;
    }
    if (size > 0)
        connection->call = call_new(connection, (size_t)size, &status);
    if (connection->call == NULL) {
        refuse(connection, size > 0 ? status : (int)-size);
        return false;
    }
    connection_enter(connection, CONNECTION_BODY, receive_ready);
    return true;
}

/* Some clients end a body with a line end that is not part of it (RFC 9112 section 2.2). */
static void skip_blank_lines(struct connection *connection)
{
    struct buf *in = &connection->in;

    while (in->size >= 2 && in->data[0] == '\r' && in->data[1] == '\n') {
        buf_consume(in, 2);
        connection->scanned = 0;
    }
}

static void wait_for_head(struct connection *connection)
{
    const struct http_limits *limits = &connection->server->limits;

    if (connection->in.size == 0) {
        buf_done(&connection->in);
        if (connection->deadline_ms == 0)
            connection_limit(connection, limits->idle_ms);
    } else if (connection->state == CONNECTION_IDLE) {
        connection->state = CONNECTION_HEAD;
        connection_limit(connection, limits->head_ms);
    }
    (void)connection_arm(connection, EPOLLIN); /* or it is closed, which is as well */
}

static void take_body(struct connection *connection)
{
    struct http_call *call = connection->call;

    if (call_collect(call) < 0) {
        refuse(connection, 400);
        return;
    }
    if (!call_is_ready(call)) {
        connection_limit(connection, connection->server->limits.stall_ms);
        (void)connection_arm(connection, EPOLLIN); /* or it is closed, which is as well */
        return;
    }
    connection_enter(connection, CONNECTION_WORKING, NULL);
    server_send(connection->server, &call->errand);
}

static void refuse(struct connection *connection, int status)
{
    log_debug("request refused status=%d uid=%u", status, connection->peer.uid);
    call_free(connection->call);
    connection->call = NULL;
    reply_refusal(&connection->out, status);
    connection_finish(connection, false);
}

static void flush(struct connection *connection)
{
    if (wire_flush(connection) < 0) {
        connection_close(connection);
    } else if (connection->out.size > 0) {
        connection_limit(connection, connection->server->limits.stall_ms);
        (void)connection_arm(connection, EPOLLOUT); /* or it is closed, which is as well */
    } else if (connection->keeps_alive && !connection->server->is_stopping) {
        begin_request(connection);
    } else {
        linger(connection);
    }
}

static void linger(struct connection *connection)
{
    buf_done(&connection->in);
    if (connection->server->is_stopping || shutdown(connection->watch.fd, SHUT_WR) < 0) {
        connection_close(connection);
        return;
    }
    connection_enter(connection, CONNECTION_LINGERING, linger_ready);
    connection_limit(connection, connection->server->limits.linger_ms);
    (void)connection_arm(connection, EPOLLIN); /* or it is closed, which is as well */
}

static struct connection *connection_of(struct watch *watch)
{
    return container_of(watch, struct connection, watch);
}
