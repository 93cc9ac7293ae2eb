/* SPDX-License-Identifier: Apache-2.0 */
/* GET /containers/x/logs: a container's log as a stream, followed or not. */
#include <stdlib.h>
#include <string.h>

#include "api/docker/handlers.h"
#include "api/docker/query.h"
#include "api/docker/stream_type.h"
#include "base/units.h"
#include "core/container/container_io.h"

#define TAIL_ALL (-1)

struct log_stream {
    struct http_stream stream;
    struct log_reader *reader;
};

static int log_spec_read(struct call *call, struct log_spec *spec, struct error *err);
static int64_t tail_read(const char *text);
static int log_produce(struct http_stream *stream, void *worker, struct buf *out);
static void log_release(struct http_stream *stream);

int docker_container_logs(struct call *call, struct error *err)
{
    struct log_reader *reader;
    struct log_spec spec;

    if (log_spec_read(call, &spec, err) < 0 ||
        log_open(call->task, call->args[0], &spec, &reader, err) < 0)
        return -1;
    struct log_stream *own = mem_alloc(sizeof(*own));
    *own = (struct log_stream){
        .stream = { .wait_fd = log_fd(reader), .produce = log_produce, .release = log_release },
        .reader = reader,
    };
    return http_reply_stream(call->http, 200, stream_type(call, log_is_raw(reader)), &own->stream,
                             err);
}

static int log_spec_read(struct call *call, struct log_spec *spec, struct error *err)
{
    *spec = (struct log_spec){
        .has_stdout = query_flag(call, "stdout"),
        .has_stderr = query_flag(call, "stderr"),
        .is_follow = query_flag(call, "follow"),
        .has_timestamps = query_flag(call, "timestamps"),
        .has_details = query_flag(call, "details"),
        .tail = tail_read(query_text(call, "tail")),
    };
    if (!spec->has_stdout && !spec->has_stderr)
        return fail(err, ERR_INVALID, "Bad parameters: you must choose at least one stream");
    if (query_time(call, "since", &spec->since_ns, err) < 0)
        return -1;
    return query_time(call, "until", &spec->until_ns, err);
}

/* What is no number is "all", as with dockerd. */
static int64_t tail_read(const char *text)
{
    int64_t tail;

    if (text == NULL || units_parse_int(text, &tail) < 0 || tail < 0)
        return TAIL_ALL;
    return tail;
}

static int log_produce(struct http_stream *stream, void *worker, struct buf *out)
{
    struct log_stream *own = container_of(stream, struct log_stream, stream);

    (void)worker;
    return log_read(own->reader, out);
}

static void log_release(struct http_stream *stream)
{
    struct log_stream *own = container_of(stream, struct log_stream, stream);

    log_close(own->reader);
    free(own);
}
