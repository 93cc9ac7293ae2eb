/* SPDX-License-Identifier: Apache-2.0 */
/* What handlers can ask about a request, and its body.  Replies are reply.c's. */
#include "http/request.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/sys.h"
#include "http/pump.h"
#include "http/query.h"
#include "http/reply.h"
#include "http/stream.h"
#include "http/ticket.h"
#include "http/wire.h"

#define STAY_MS    1
#define PIECE_SIZE 4096

static void call_run(struct errand *errand, struct worker *worker);
static struct errand *call_next(struct errand *errand, struct worker *worker);
static struct http_call *call_receive(struct connection *connection);
static void call_back(struct errand *errand);
static void call_discard(struct http_call *call);
static size_t take_received(struct http_call *call, void *data, size_t size);
static ssize_t take_wire(struct http_call *call, void *data, size_t size, struct error *err);
static int give_continue(struct http_call *call, struct error *err);

struct http_call *call_new(struct connection *connection, size_t size, int *status)
{
    struct http_call *call = mem_alloc(sizeof(*call));

    call->errand = (struct errand){ .run = call_run, .back = call_back, .next = call_next };
    call->connection = connection;
    call->peer_fd = -1;
    list_init(&call->errand.link);
    buf_append(&call->text, connection->in.data, size);
    buf_consume(&connection->in, size);
    *status = head_parse(&call->head, call->text.data, size);
    if (*status != 0) {
        call_free(call);
        return NULL;
    }
    body_init(&call->body, call->head.body_kind, call->head.body_size);
    call->owes_continue = call->head.expects_continue && !call->body.is_done;
    return call;
}

void call_free(struct http_call *call)
{
    if (call == NULL)
        return;
    buf_done(&call->text);
    buf_done(&call->received);
    buf_done(&call->headers);
    free(call);
}

int call_collect(struct http_call *call)
{
    struct buf *in = &call->connection->in;
    size_t room = HTTP_BODY_INLINE_MAX - call->received.size;
    size_t size = in->size < room ? in->size : room;

    if (call->owes_continue || call_is_ready(call) || in->size == 0)
        return 0;
    struct pass pass = {
        .in = in->data,
        .in_size = in->size,
        .out = buf_reserve(&call->received, size),
        .out_room = size,
    };
    int rc = body_decode(&call->body, &pass);
    call->received.size += size - pass.out_room;
    buf_consume(in, in->size - pass.in_size);
    return rc;
}

bool call_is_ready(const struct http_call *call)
{
    bool is_large = call->body.kind == BODY_SIZED && call->head.body_size > HTTP_BODY_INLINE_MAX;

    return call->body.is_done || call->owes_continue || is_large ||
           call->received.size >= HTTP_BODY_INLINE_MAX;
}

const char *http_method(const struct http_call *call)
{
    return call->head.method;
}

const char *http_path(const struct http_call *call)
{
    return call->head.path;
}

const char *http_query(const struct http_call *call, const char *name)
{
    return http_query_nth(call, name, 0);
}

const char *http_query_nth(const struct http_call *call, const char *name, int index)
{
    return query_find(call->head.query, name, index, call->worker->mem);
}

const char *http_header(const struct http_call *call, const char *name)
{
    return head_find(&call->head, name);
}

uid_t http_peer_uid(const struct http_call *call)
{
    return call->connection->peer.uid;
}

pid_t http_peer_pid(const struct http_call *call)
{
    return call->connection->peer.pid;
}

struct arena *http_mem(struct http_call *call)
{
    return call->worker->mem;
}

struct http_server *http_server_of(const struct http_call *call)
{
    return call->connection->server;
}

int http_body(struct http_call *call, size_t max, char **data, size_t *size, struct error *err)
{
    cleanup_buf struct buf body = { 0 };
    ssize_t got = 1;

    if (call->body.kind == BODY_SIZED && call->head.body_size > max)
        return fail(err, ERR_INVALID, "request body is larger than %zu bytes", max);
    while (got > 0) {
        size_t room =
            call->body.is_done ? call->received.size - call->received_used : HTTP_BODY_INLINE_MAX;
        got = http_body_read(call, buf_reserve(&body, room), room, err);
        if (got < 0)
            return -1;
        body.size += (size_t)got;
        if (body.size > max)
            return fail(err, ERR_INVALID, "request body is larger than %zu bytes", max);
    }
    *data = arena_strndup(call->worker->mem, "", 0);
    if (body.size > 0) {
        body.data[body.size] = '\0';
        *data = arena_memdup(call->worker->mem, body.data, body.size + 1);
    }
    *size = body.size;
    return 0;
}

ssize_t http_body_read(struct http_call *call, void *data, size_t size, struct error *err)
{
    size_t taken = take_received(call, data, size);

    if (taken > 0 || size == 0 || call->body.is_done)
        return (ssize_t)taken;
    if (give_continue(call, err) < 0)
        return -1;
    return take_wire(call, data, size, err);
}

bool http_client_is_gone(struct http_call *call)
{
    struct connection *connection = call->connection;
    short loss = connection->is_unix ? 0 : POLLRDHUP; /* POLLHUP and POLLERR are always told */

    return connection->is_broken || socket_wait(connection->watch.fd, loss, 0) > 0;
}

static size_t take_received(struct http_call *call, void *data, size_t size)
{
    size_t left = call->received.size - call->received_used;
    size_t taken = left < size ? left : size;

    if (taken > 0)
        memcpy(data, call->received.data + call->received_used, taken);
    call->received_used += taken;
    return taken;
}

static ssize_t take_wire(struct http_call *call, void *data, size_t size, struct error *err)
{
    struct buf *in = &call->connection->in;

    for (;;) {
        struct pass pass = { .in = in->data, .in_size = in->size, .out = data, .out_room = size };
        int rc = body_decode(&call->body, &pass);
        if (in->size > 0)
            buf_consume(in, in->size - pass.in_size);
        if (rc < 0)
            return fail(err, ERR_INVALID, "request body is not well-formed");
        if (pass.out_room < size || call->body.is_done)
            return (ssize_t)(size - pass.out_room);
        ssize_t got = wire_fill(call->connection);
        if (got == 0)
            return fail(err, ERR_INVALID, "client closed before the end of the request body");
        if (got < 0)
            return fail_sys(err, (int)got, "cannot read the request body");
    }
}

/* A client that expects it sends its body after this line only. */
static int give_continue(struct http_call *call, struct error *err)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct iovec piece = wire_piece(line, sizeof(line) - 1);

    if (!call->owes_continue || call->has_begun)
        return 0;
    call->owes_continue = false;
    int rc = wire_send(call->connection, &piece, 1);
    return rc < 0 ? fail_sys(err, rc, "cannot ask for the request body") : 0;
}

static void call_run(struct errand *errand, struct worker *worker)
{
    static _Atomic uint64_t last_number;
    struct http_call *call = container_of(errand, struct http_call, errand);
    const struct listener *listener = call->connection->listener;

    call->worker = worker;
    (void)snprintf(worker->scope, sizeof(worker->scope), "request=%llu",
                   (unsigned long long)++last_number); /* always fits */
    log_scope(worker->scope);
    listener->handler(call, worker->own, listener->context);
    reply_complete(call);
    log_scope(NULL);
}

/* The next request of a client that sends one at once. */
static struct errand *call_next(struct errand *errand, struct worker *worker)
{
    struct http_call *call = container_of(errand, struct http_call, errand);
    struct connection *connection = call->connection;
    bool is_between = call->sequel == SEQUEL_FINISH && call->keeps_alive &&
                      !connection->is_broken && connection->out.size == 0 &&
                      connection->in.size == 0;

    if (!is_between || !crew_stay(worker->crew))
        return NULL;
    bool is_readable = socket_wait(connection->watch.fd, POLLIN, STAY_MS) > 0;
    crew_leave(worker->crew);
    struct http_call *next = is_readable ? call_receive(connection) : NULL;
    if (next == NULL)
        return NULL;
    connection->call = next;
    call_free(call);
    return &next->errand;
}

/* What is not whole, not right or the end is the loop's: it finds all as it came. */
static struct http_call *call_receive(struct connection *connection)
{
    struct buf *in = &connection->in;
    char piece[PIECE_SIZE];
    int status = 0;
    ssize_t got = socket_receive(connection->watch.fd, piece, sizeof(piece));

    if (got <= 0)
        return NULL;
    buf_append(in, piece, (size_t)got);
    connection->scanned = 0;
    ssize_t size = head_scan(in->data, in->size, &connection->scanned);
    struct http_call *call = size > 0 ? call_new(connection, (size_t)size, &status) : NULL;
    if (call != NULL && call_collect(call) == 0 && call_is_ready(call))
        return call;
    call_free(call);
    buf_done(in);
    buf_append(in, piece, (size_t)got);
    connection->scanned = 0;
    return NULL;
}

static void call_back(struct errand *errand)
{
    struct http_call *call = container_of(errand, struct http_call, errand);
    struct connection *connection = call->connection;

    connection->call = NULL;
    if (connection->is_broken ||
        (connection->server->is_stopping && call->sequel != SEQUEL_FINISH)) {
        call_discard(call);
        connection_close(connection);
        return;
    }
    bool keeps_alive = call->keeps_alive;
    switch (call->sequel) {
    case SEQUEL_FINISH: connection_finish(connection, keeps_alive); break;
    case SEQUEL_STREAM: stream_begin(connection, call); break;
    case SEQUEL_PUMP: pump_begin(connection, call->peer_fd); break;
    case SEQUEL_WAIT: ticket_wait(connection); break;
    }
    call_free(call);
}

/* What the reply was to go on with, where it cannot. */
static void call_discard(struct http_call *call)
{
    if (call->stream != NULL)
        call->stream->release(call->stream);
    sys_close_fd(&call->peer_fd);
    call_free(call);
}
