/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /containers/x/stats: a sample a second.  One sample is two: the first is what the second's
 * shares of time are measured against.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "api/docker/handlers.h"
#include "api/docker/query.h"
#include "base/log.h"
#include "base/sys.h"
#include "core/container/container.h"

struct stats_stream {
    struct http_stream stream; /* waits for a timer */
    char *container_id;
    json_t *previous;
    bool is_single; /* ends after the first that is told */
    bool is_silent; /* the next sample is only for comparison */
};

static struct stats_stream *stats_stream_new(const char *container_id, struct error *err);
static int stats_produce(struct http_stream *stream, void *worker, struct buf *out);
static void stats_release(struct http_stream *stream);
static int stats_sample(struct stats_stream *own, const struct task *origin, struct buf *out);

int docker_container_stats(struct call *call, struct error *err)
{
    const char *id;
    bool is_endless = true;

    if (call_query_bool(call, "stream", &is_endless, err) < 0 ||
        container_resolve(call->task, call->args[0], &id, err) < 0)
        return -1;
    struct stats_stream *own = stats_stream_new(id, err);
    if (own == NULL)
        return -1;
    own->is_single = !is_endless;
    own->is_silent = !is_endless && !query_flag(call, "one-shot");
    return http_reply_stream(call->http, 200, "application/json", &own->stream, err);
}

static struct stats_stream *stats_stream_new(const char *container_id, struct error *err)
{
    static const struct itimerspec second = { .it_interval.tv_sec = 1, .it_value.tv_sec = 1 };
    cleanup_fd int timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

    if (timer_fd < 0 || timerfd_settime(timer_fd, 0, &second, NULL) < 0) {
        (void)fail_sys(err, -errno, "cannot make a timer");
        return NULL;
    }
    struct stats_stream *own = mem_alloc(sizeof(*own));
    *own = (struct stats_stream){
        .stream = { .produce = stats_produce, .release = stats_release },
        .container_id = mem_strdup(container_id),
    };
    own->stream.wait_fd = move_fd(&timer_fd);
    return own;
}

static int stats_produce(struct http_stream *stream, void *worker, struct buf *out)
{
    struct stats_stream *own = container_of(stream, struct stats_stream, stream);
    bool was_silent = own->is_silent;
    uint64_t ticks;

    (void)sys_read(stream->wait_fd, &ticks, sizeof(ticks)); /* -EAGAIN at the first call */
    if (stats_sample(own, worker, out) < 0)
        return -1;
    own->is_silent = false;
    return own->is_single && !was_silent ? -1 : 0;
}

static void stats_release(struct http_stream *stream)
{
    struct stats_stream *own = container_of(stream, struct stats_stream, stream);

    (void)close(stream->wait_fd); /* a timer: nothing can be lost */
    json_decref(own->previous);
    free(own->container_id);
    free(own);
}

/* -1 when there is nothing more to tell: the container is gone. */
static int stats_sample(struct stats_stream *own, const struct task *origin, struct buf *out)
{
    cleanup_arena struct arena *mem = arena_new();
    struct task task = *origin;
    struct error err;
    json_t *sample;

    task.mem = mem;
    if (container_stats(&task, own->container_id, own->previous, &sample, &err) < 0) {
        log_debug("stats end container=%s reason=\"%s\"", own->container_id, err.message);
        return -1;
    }
    json_decref(own->previous);
    own->previous = sample;
    if (own->is_silent)
        return 0;
    json_append(out, sample);
    buf_text(out, "\n");
    return 0;
}
