/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: one epoll set, one signalfd, and the nearest deadline as its time-out.  What is watched
 * is worked out anew after every turn from the state, not kept in step by whoever changes it.
 */
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>

#include "base/clock.h"
#include "base/sys.h"
#include "runner/supervise/supervise_state.h"

#define EVENT_COUNT_MAX 16
#define NS_PER_S        1000000000LL

static int loop_open(struct supervisor *supervisor, int listen_fd, struct error *err);
static void source_init(struct source *source, enum source_kind kind, int fd, int index);
static void wait_and_dispatch(struct supervisor *supervisor);
static int64_t nearest_due_ns(const struct supervisor *supervisor);
static void dispatch(struct supervisor *supervisor, struct source *source, uint32_t events);
static void check_deadlines(struct supervisor *supervisor);
static void watch_all(struct supervisor *supervisor);

int loop_run(struct supervisor *supervisor, int listen_fd, struct error *err)
{
    if (loop_open(supervisor, listen_fd, err) < 0)
        return -1;
    while (!supervisor->is_over) {
        watch_all(supervisor);
        wait_and_dispatch(supervisor);
        check_deadlines(supervisor);
    }
    return 0;
}

void source_watch(const struct supervisor *supervisor, struct source *source, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = source };
    bool is_wanted = events != 0 || source->kind == SOURCE_CONNECTION;

    if (source->fd < 0)
        return;
    if (is_wanted && source->is_watched && source->events == events)
        return;
    if (!is_wanted) {
        source_forget(supervisor, source);
        return;
    }
    int operation = source->is_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(supervisor->epoll_fd, operation, source->fd, &event) < 0)
        return; /* for want of memory: tried again after the next turn */
    source->is_watched = true;
    source->events = events;
}

void source_forget(const struct supervisor *supervisor, struct source *source)
{
    if (source->is_watched)
        (void)epoll_ctl(supervisor->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL); /* cannot fail */
    source->is_watched = false;
    source->events = 0;
}

static int loop_open(struct supervisor *supervisor, int listen_fd, struct error *err)
{
    sigset_t set;

    (void)sigemptyset(&set); /* neither fails for a known signal */
    (void)sigaddset(&set, SIGCHLD);
    int signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    supervisor->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (signal_fd < 0 || supervisor->epoll_fd < 0)
        return fail_sys(err, -errno, "cannot make the supervisor's loop");
    source_init(&supervisor->child, SOURCE_CHILD, signal_fd, 0);
    source_init(&supervisor->listener, SOURCE_LISTENER, listen_fd, 0);
    source_init(&supervisor->oom, SOURCE_OOM, supervisor->made.fds[MADE_OOM_EVENT], 0);
    source_init(&supervisor->freezing, SOURCE_FREEZER, supervisor->freezer.event_fd, 0);
    source_init(&supervisor->input, SOURCE_INPUT, supervisor->stdio.input_fd, 0);
    for (int i = 0; i < 2; i++)
        source_init(&supervisor->output[i], SOURCE_OUTPUT, supervisor->stdio.output_fd[i], i);
    return 0;
}

static void source_init(struct source *source, enum source_kind kind, int fd, int index)
{
    *source = (struct source){ .kind = kind, .fd = fd, .index = index };
}

static void wait_and_dispatch(struct supervisor *supervisor)
{
    struct epoll_event events[EVENT_COUNT_MAX];
    int64_t due_ns = nearest_due_ns(supervisor);
    int64_t wait_ns = due_ns == INT64_MAX ? 0 : due_ns - clock_mono_ns();
    struct timespec timeout = { 0 };

    if (wait_ns > 0)
        timeout = (struct timespec){ .tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S };
    int count = epoll_pwait2(supervisor->epoll_fd, events, EVENT_COUNT_MAX,
                             due_ns == INT64_MAX ? NULL : &timeout, NULL);
    for (int i = 0; i < count; i++)
        dispatch(supervisor, events[i].data.ptr, events[i].events);
}

static int64_t nearest_due_ns(const struct supervisor *supervisor)
{
    int64_t due_ns = end_due_ns(supervisor);

    if (supervisor->terminal_retry_ns > 0 && supervisor->terminal_retry_ns < due_ns)
        due_ns = supervisor->terminal_retry_ns;
    for (int i = 0; i < supervisor->connection_end; i++) {
        int64_t lease_ns = lease_due_ns(&supervisor->connections[i].lease);
        if (lease_ns < due_ns)
            due_ns = lease_ns;
    }
    return due_ns;
}

/* A source may have been closed by an event before its own in the same turn: fd is -1 then. */
static void dispatch(struct supervisor *supervisor, struct source *source, uint32_t events)
{
    struct signalfd_siginfo info;

    if (source->fd < 0)
        return;
    switch (source->kind) {
    case SOURCE_CHILD:
        while (sys_read(source->fd, &info, sizeof(info)) > 0)
            ; /* one signal may stand for many children */
        end_reap(supervisor);
        return;
    case SOURCE_LISTENER: connection_accept(supervisor); return;
    case SOURCE_OUTPUT: output_pump(supervisor, source->index); return;
    case SOURCE_INPUT: stdio_flush_input(&supervisor->stdio); return;
    case SOURCE_OOM: end_check_oom(supervisor); return;
    case SOURCE_FREEZER: return; /* the leases are looked after in every turn */
    case SOURCE_CONNECTION:
        connection_ready(supervisor, &supervisor->connections[source->index], events);
        return;
    }
}

static void check_deadlines(struct supervisor *supervisor)
{
    int64_t now_ns = clock_mono_ns();

    connection_each(connection, supervisor)
        request_lease_poll(supervisor, connection, now_ns);
    output_retry(supervisor, now_ns);
    end_advance(supervisor, now_ns);
}

static void watch_all(struct supervisor *supervisor)
{
    bool is_freezing = false;

    source_watch(supervisor, &supervisor->child, EPOLLIN);
    source_watch(supervisor, &supervisor->listener, EPOLLIN);
    source_watch(supervisor, &supervisor->oom, EPOLLIN | EPOLLPRI);
    output_watch(supervisor);
    connection_each(connection, supervisor) {
        is_freezing = is_freezing || connection->lease.state == LEASE_FREEZING;
        connection_watch(supervisor, connection);
    }
    source_watch(supervisor, &supervisor->freezing, is_freezing ? EPOLLPRI : 0);
}
