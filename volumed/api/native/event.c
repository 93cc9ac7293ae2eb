/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native door's events: a list, and a stream of JSON lines.  Both go on from a sequence number,
 * so a client that lost its connection asks again with the last number it saw.
 */
#include "core/operation/event.h"

#include <stdlib.h>

#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"
#include "base/log.h"
#include "base/sys.h"
#include "core/service.h"

#define EVENT_LIST_DEFAULT 100
#define EVENT_LIST_MAX     10000
#define EVENT_BATCH        256

/* Where to begin: after a number, or at a time; by default the list's newest, the stream's next. */
struct event_request {
    int64_t after; /* -1: not given */
    int64_t since; /* ns; -1: not given */
    int64_t limit;
};

struct event_stream {
    struct http_stream http;
    struct event_bell *bell;
    int64_t after;
};

static const struct field request_fields[] = {
    FIELD(INT, struct event_request, after, OPTIONAL),
    FIELD(TIME, struct event_request, since, OPTIONAL),
    FIELD(INT, struct event_request, limit, OPTIONAL),
    FIELDS_END,
};

static int find_start(struct task *task, const struct event_request *request, int64_t back,
                      int64_t *after, struct error *err);
static int stream_produce(struct http_stream *http, void *worker, struct buf *out);
static int append_events(struct event_stream *stream, struct task *task, struct buf *out);
static void stream_release(struct http_stream *http);

int native_event_list(struct call *call, struct error *err)
{
    struct event_request request = { .after = -1, .since = -1, .limit = EVENT_LIST_DEFAULT };
    struct event *list;
    int64_t after;

    if (decode_query(call, request_fields, &request, err) < 0)
        return -1;
    if (request.limit < 1 || request.limit > EVENT_LIST_MAX)
        return fail(err, ERR_INVALID, "query 'limit' must be from 1 to %d", EVENT_LIST_MAX);
    if (find_start(call->task, &request, request.limit, &after, err) < 0)
        return -1;
    int count = event_list(call->task, after, (int)request.limit, &list, err);
    if (count < 0)
        return -1;
    json_t *events = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(events, encode_event(&list[i]));
    json_t *json = encode_list("events", events);
    json_set(json, "last_seq", json_integer(count > 0 ? list[count - 1].seq : after));
    return call_reply_json(call, 200, json, err);
}

int native_event_stream(struct call *call, struct error *err)
{
    struct event_request request = { .after = -1, .since = -1 };
    struct event_bell *bell = call->task->service->bell;
    int64_t after;

    if (decode_query(call, request_fields, &request, err) < 0)
        return -1;
    int fd = event_bell_join(bell, err); /* before the number is read, so that none falls between */
    if (fd < 0)
        return -1;
    if (find_start(call->task, &request, 0, &after, err) < 0) {
        event_bell_leave(bell, fd);
        return -1;
    }
    struct event_stream *stream = mem_alloc(sizeof(*stream));
    *stream = (struct event_stream){
        .http = { .wait_fd = fd, .produce = stream_produce, .release = stream_release },
        .bell = bell,
        .after = after,
    };
    return http_reply_stream(call->http, 200, "application/x-ndjson", &stream->http, err);
}

static int find_start(struct task *task, const struct event_request *request, int64_t back,
                      int64_t *after, struct error *err)
{
    if (request->after >= 0) {
        *after = request->after;
        return 0;
    }
    if (request->since >= 0)
        return event_seq_before(task, request->since, after, err);
    if (event_last(task, after, err) < 0)
        return -1;
    *after = *after > back ? *after - back : 0;
    return 0;
}

static int stream_produce(struct http_stream *http, void *worker, struct buf *out)
{
    struct event_stream *stream = container_of(http, struct event_stream, http);
    const struct task *origin = worker;
    cleanup_arena struct arena *mem = arena_new();
    struct task task = {
        .service = origin->service, .db = origin->db, .mem = mem, .actor = "volumed"
    };
    uint64_t rings;

    (void)sys_read(http->wait_fd, &rings,
                   sizeof(rings)); /* not rung: the events are asked anyway */
    return append_events(stream, &task, out);
}

static int append_events(struct event_stream *stream, struct task *task, struct buf *out)
{
    struct event *list;
    struct error err;
    int count = event_list(task, stream->after, EVENT_BATCH, &list, &err);

    if (count < 0) {
        log_warn("event stream ended after=%lld error=\"%s\"", (long long)stream->after,
                 err.message);
        return -1; /* the client goes on from its last number */
    }
    for (int i = 0; i < count; i++) {
        cleanup_json json_t *json = encode_event(&list[i]);
        json_append(out, json);
        buf_text(out, "\n");
        stream->after = list[i].seq;
    }
    return count == EVENT_BATCH ? 1 : 0;
}

static void stream_release(struct http_stream *http)
{
    struct event_stream *stream = container_of(http, struct event_stream, http);

    event_bell_leave(stream->bell, http->wait_fd);
    free(stream);
}
