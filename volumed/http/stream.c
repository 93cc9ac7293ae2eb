/* SPDX-License-Identifier: Apache-2.0 */
/* One produce() at a time, and none while the client has much to read: memory stays bounded by what
 * one call of produce() appends. */
#include "http/stream.h"

#include <stdlib.h>

#include "base/log.h"
#include "http/wire.h"

#define STREAM_HELD_MAX ((size_t)64 << 10)

struct stream {
    struct errand errand;
    struct watch wait;             /* for more to produce */
    struct connection *connection; /* NULL: the client is lost */
    struct http_server *server;
    struct http_stream *user;
    struct buf produced;
    int result;      /* of the last produce() */
    bool is_out;     /* with a worker */
    bool is_due;     /* to be produced from, without waiting */
    bool is_waiting; /* 'wait' is armed */
    bool has_ended;
    bool is_chunked;
    bool keeps_alive;
};

static void stream_step(struct stream *stream);
static void stream_feed(struct stream *stream);
static void stream_finish(struct stream *stream);
static void stream_run(struct errand *errand, struct worker *worker);
static void stream_back(struct errand *errand);
static void wait_ready(struct watch *watch, uint32_t events);
static void client_ready(struct watch *watch, uint32_t events);
static void stream_free(struct stream *stream);

void stream_begin(struct connection *connection, const struct http_call *call)
{
    struct stream *stream = mem_alloc(sizeof(*stream));

    *stream = (struct stream){
        .errand = { .run = stream_run, .back = stream_back },
        .wait = { .fd = call->stream->wait_fd, .ready = wait_ready },
        .connection = connection,
        .server = connection->server,
        .user = call->stream,
        .is_due = true,
        .is_chunked = call->is_chunked,
        .keeps_alive = call->keeps_alive,
    };
    list_init(&stream->errand.link);
    connection->stream = stream;
    connection_enter(connection, CONNECTION_STREAMING, client_ready);
    stream_step(stream);
}

void stream_lose(struct stream *stream)
{
    if (stream == NULL)
        return;
    stream->connection = NULL;
    loop_drop(&stream->server->loop, &stream->wait);
    if (!stream->is_out)
        stream_free(stream);
}

/* Does what can be done now and waits for the rest.  May free the stream. */
static void stream_step(struct stream *stream)
{
    struct connection *connection = stream->connection;

    if (wire_flush(connection) < 0) {
        connection_close(connection);
        return;
    }
    bool has_rest = connection->out.size > 0;
    if (stream->has_ended && !has_rest) {
        stream_finish(stream);
        return;
    }
    uint32_t events = connection_loss_events(connection) | (has_rest ? EPOLLOUT : 0);
    if (connection_arm(connection, events) < 0)
        return;
    if (!stream->has_ended && !stream->is_out && connection->out.size < STREAM_HELD_MAX)
        stream_feed(stream);
}

static void stream_feed(struct stream *stream)
{
    if (stream->is_due) {
        stream->is_due = false;
        stream->is_out = true;
        server_send(stream->server, &stream->errand);
        return;
    }
    if (stream->is_waiting)
        return;
    int rc = loop_arm(&stream->server->loop, &stream->wait, EPOLLIN);
    stream->is_waiting = rc == 0;
    if (rc < 0) {
        log_error("cannot wait for a stream fd=%d errno=%d", stream->wait.fd, -rc);
        connection_close(stream->connection);
    }
}

static void stream_finish(struct stream *stream)
{
    struct connection *connection = stream->connection;
    bool keeps_alive = stream->keeps_alive;

    connection->stream = NULL;
    stream_free(stream);
    connection_finish(connection, keeps_alive);
}

static void stream_run(struct errand *errand, struct worker *worker)
{
    struct stream *stream = container_of(errand, struct stream, errand);

    stream->result = stream->user->produce(stream->user, worker->own, &stream->produced);
}

static void stream_back(struct errand *errand)
{
    struct stream *stream = container_of(errand, struct stream, errand);
    struct buf *produced = &stream->produced;

    stream->is_out = false;
    if (stream->connection == NULL) {
        stream_free(stream);
        return;
    }
    struct buf *out = &stream->connection->out;
    if (stream->is_chunked)
        chunk_append(out, produced->data, produced->size);
    else
        buf_append(out, produced->data, produced->size);
    buf_done(produced);
    stream->is_due = stream->result > 0;
    stream->has_ended = stream->result < 0;
    if (stream->has_ended && stream->is_chunked)
        buf_text(out, CHUNK_LAST);
    stream_step(stream);
}

static void wait_ready(struct watch *watch, uint32_t events)
{
    struct stream *stream = container_of(watch, struct stream, wait);

    (void)events; /* also an error is produce()'s to find */
    stream->is_waiting = false;
    stream->is_due = true;
    stream_step(stream);
}

static void client_ready(struct watch *watch, uint32_t events)
{
    struct connection *connection = container_of(watch, struct connection, watch);

    if (connection_is_lost(connection, events))
        connection_close(connection);
    else
        stream_step(connection->stream);
}

static void stream_free(struct stream *stream)
{
    loop_drop(&stream->server->loop, &stream->wait);
    stream->user->release(stream->user);
    buf_done(&stream->produced);
    free(stream);
}
