/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /events: volumed's numbered events in Docker's shape, from any time until any time.  Which
 * of them a client wants is in event_filter.c.
 */
#include "core/operation/event.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "api/docker/event_filter.h"
#include "api/docker/handlers.h"
#include "api/docker/query.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "core/service.h"

#define EVENT_BATCH 256

struct event_stream {
    struct http_stream stream; /* waits for the bell or the end, through an epoll descriptor */
    struct event_bell *bell;
    int bell_fd;
    int timer_fd; /* -1: no end */
    int64_t until_ns;
    int64_t seq;       /* the last that was looked at */
    struct arena *mem; /* the filter's */
    struct filter filter;
};

static int stream_fill(struct event_stream *own, struct call *call, struct error *err);
static int stream_seek(struct event_stream *own, struct call *call, struct error *err);
static int stream_watch(struct event_stream *own, struct error *err);
static int watch_end(struct event_stream *own, struct error *err);
static int watch_fd(int epoll_fd, int fd, struct error *err);
static int event_produce(struct http_stream *stream, void *worker, struct buf *out);
static int events_append(struct event_stream *own, struct task *task, struct buf *out);
static void event_release(struct http_stream *stream);

int docker_events(struct call *call, struct error *err)
{
    struct event_stream *own = mem_alloc(sizeof(*own));

    *own = (struct event_stream){
        .stream = { .wait_fd = -1, .produce = event_produce, .release = event_release },
        .bell = call->task->service->bell,
        .bell_fd = -1,
        .timer_fd = -1,
        .mem = arena_new(),
    };
    if (stream_fill(own, call, err) < 0) {
        event_release(&own->stream);
        return -1;
    }
    return http_reply_stream(call->http, 200, "application/json", &own->stream, err);
}

/* The bell is joined before the place to begin is sought: what happens between is heard of. */
static int stream_fill(struct event_stream *own, struct call *call, struct error *err)
{
    if (query_filter(call, own->mem, event_filters, &own->filter, err) < 0 ||
        query_time(call, "until", &own->until_ns, err) < 0)
        return -1;
    own->bell_fd = event_bell_join(own->bell, err);
    if (own->bell_fd < 0 || stream_watch(own, err) < 0)
        return -1;
    return stream_seek(own, call, err);
}

static int stream_seek(struct event_stream *own, struct call *call, struct error *err)
{
    int64_t since_ns = 0;

    if (query_time(call, "since", &since_ns, err) < 0)
        return -1;
    if (since_ns == 0)
        return event_last(call->task, &own->seq, err);
    return event_seq_before(call->task, since_ns, &own->seq, err);
}

static int stream_watch(struct event_stream *own, struct error *err)
{
    own->stream.wait_fd = epoll_create1(EPOLL_CLOEXEC);
    if (own->stream.wait_fd < 0)
        return fail_sys(err, -errno, "cannot wait for events");
    if (watch_fd(own->stream.wait_fd, own->bell_fd, err) < 0)
        return -1;
    return own->until_ns != 0 ? watch_end(own, err) : 0;
}

static int watch_end(struct event_stream *own, struct error *err)
{
    struct itimerspec end = { .it_value = { .tv_sec = (time_t)(own->until_ns / 1000000000),
                                            .tv_nsec = (long)(own->until_ns % 1000000000) } };

    own->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (own->timer_fd < 0 || timerfd_settime(own->timer_fd, TFD_TIMER_ABSTIME, &end, NULL) < 0)
        return fail_sys(err, -errno, "cannot make a timer");
    return watch_fd(own->stream.wait_fd, own->timer_fd, err);
}

static int watch_fd(int epoll_fd, int fd, struct error *err)
{
    struct epoll_event interest = { .events = EPOLLIN };

    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &interest) < 0)
        return fail_sys(err, -errno, "cannot wait for events");
    return 0;
}

static int event_produce(struct http_stream *stream, void *worker, struct buf *out)
{
    struct event_stream *own = container_of(stream, struct event_stream, stream);
    cleanup_arena struct arena *mem = arena_new();
    struct task task = *(const struct task *)worker;
    uint64_t rings;

    task.mem = mem;
    /* Before reading events: one that is written afterwards rings again.  -EAGAIN: none so far. */
    (void)sys_read(own->bell_fd, &rings, sizeof(rings));
    return events_append(own, &task, out);
}

static int events_append(struct event_stream *own, struct task *task, struct buf *out)
{
    struct error err;
    struct event *list;
    int count = event_list(task, own->seq, EVENT_BATCH, &list, &err);

    if (count < 0) {
        log_warn("event stream broken off error=\"%s\"", err.message);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        own->seq = list[i].seq;
        if (own->until_ns != 0 && list[i].time_ns > own->until_ns)
            return -1;
        if (!event_is_wanted(&list[i], &own->filter))
            continue;
        cleanup_json json_t *json = docker_event_json(&list[i]);
        json_append(out, json);
        buf_text(out, "\n");
    }
    if (count == EVENT_BATCH)
        return 1;
    return own->until_ns != 0 && clock_now_ns() >= own->until_ns ? -1 : 0;
}

static void event_release(struct http_stream *stream)
{
    struct event_stream *own = container_of(stream, struct event_stream, stream);

    sys_close_fd(&own->stream.wait_fd);
    sys_close_fd(&own->timer_fd);
    if (own->bell_fd >= 0)
        event_bell_leave(own->bell, own->bell_fd);
    arena_free(own->mem);
    free(own);
}
