/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watching thread.  Every watch is one connection in an epoll set, or one due time while a
 * restart waits; all other threads only add to and take from the table under its lock.
 */
#include "core/box/monitor.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/sys.h"
#include "base/thread.h"
#include "base/uuid.h"
#include "core/box/box.h"
#include "core/box/exec_box.h"
#include "core/box/health.h"
#include "core/box/monitor_recover.h"
#include "core/box/monitor_work.h"
#include "core/container/container_exit.h"
#include "core/container/container_start.h"
#include "core/container/exec_table.h"
#include "core/container/log_watch.h"
#include "core/operation/event.h"
#include "core/service.h"
#include "store/db.h"

#define LINE_MAX_BYTES  512
#define EVENTS_MAX      64
#define RECORD_RETRY_MS 1000

struct watch {
    struct list node;
    char id[HEX_ID_SIZE]; /* of the container, or of the exec */
    bool is_exec;
    int fd;             /* -1: waits for its restart */
    bool is_unrecorded; /* its end could not be written down: tried again */
    int64_t due_ms;     /* of the restart, or of the next try */
    int64_t last_delay_ms;
    char line[LINE_MAX_BYTES]; /* what has come */
    char said[LINE_MAX_BYTES]; /* the line at work */
    size_t line_size;
};

struct monitor {
    struct service *service;
    struct monitor_work *work;
    struct log_watch *log_watch;
    struct db *db; /* the thread's */
    int epoll_fd;
    int wake_fd;
    pthread_t thread;
    bool is_started;
    pthread_mutex_t lock; /* guards: watches, is_ending */
    struct list watches;
    bool is_ending;
};

static int poll_own(struct monitor *monitor, struct error *err);
static void *monitor_main(void *argument);
static void watch_add(struct monitor *monitor, const char *id, bool is_exec, int fd);
static struct watch *watch_find(struct monitor *monitor, const char *id);
static void watch_free(struct watch *watch);
static void watch_poll(struct monitor *monitor, struct watch *watch);
static int next_timeout_ms(struct monitor *monitor);
static void do_due(struct monitor *monitor, struct task *task);
static bool take_due(struct monitor *monitor, char id[HEX_ID_SIZE], bool *is_unrecorded);
static void record(struct monitor *monitor, struct task *task, const char *id,
                   const struct box_exit *end, int64_t last_delay_ms);
static void record_later(struct monitor *monitor, const char *id);
static void handle_input(struct monitor *monitor, struct task *task, struct watch *watch);
static bool take_line(struct watch *watch);
static bool handle_line(struct monitor *monitor, struct task *task, struct watch *watch);
static void handle_end(struct monitor *monitor, struct task *task, struct watch *watch,
                       const struct box_exit *end);
static void lost_supervisor(struct monitor *monitor, struct task *task, struct watch *watch);
static void settle(struct monitor *monitor, const char *id, const struct exit_outcome *outcome);
static void detach(struct monitor *monitor, struct watch *watch);
static void wake(struct monitor *monitor);

struct monitor *monitor_new(struct service *service, struct error *err)
{
    struct monitor *monitor = mem_alloc(sizeof(*monitor));

    *monitor = (struct monitor){ .service = service };
    list_init(&monitor->watches);
    (void)pthread_mutex_init(&monitor->lock, NULL); /* never fails with default attributes */
    monitor->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    monitor->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    monitor->work = monitor_work_new(service);
    if (monitor->epoll_fd < 0 || monitor->wake_fd < 0)
        (void)fail_sys(err, -errno, "cannot make the monitor");
    else
        monitor->log_watch = log_watch_new(err);
    if (monitor->log_watch == NULL || poll_own(monitor, err) < 0) {
        monitor_free(monitor);
        return NULL;
    }
    return monitor;
}

struct log_watch *monitor_log_watch(const struct monitor *monitor)
{
    return monitor->log_watch;
}

int monitor_start(struct monitor *monitor, struct task *task, struct error *err)
{
    monitor->db = service_db_open(monitor->service, err);
    if (monitor->db == NULL || monitor_recover(task, err) < 0 ||
        monitor_work_start(monitor->work, err) < 0 ||
        thread_start(&monitor->thread, "monitor", monitor_main, monitor, err) < 0)
        return -1;
    monitor->is_started = true;
    return 0;
}

void monitor_free(struct monitor *monitor)
{
    if (monitor == NULL)
        return;
    if (monitor->is_started) {
        {
            LOCK_SCOPE(&monitor->lock);
            monitor->is_ending = true;
        }
        wake(monitor);
        (void)pthread_join(monitor->thread, NULL); /* it is joinable and not this thread */
    }
    monitor_work_free(monitor->work);
    health_stop_all(); /* the last, since work may start containers */
    log_watch_free(monitor->log_watch);
    db_close(monitor->db);
    list_each(node, &monitor->watches)
        watch_free(container_of(node, struct watch, node));
    sys_close_fd(&monitor->epoll_fd);
    sys_close_fd(&monitor->wake_fd);
    (void)pthread_mutex_destroy(&monitor->lock); /* nobody is left to hold it */
    free(monitor);
}

void monitor_watch(struct monitor *monitor, const char *id, int fd)
{
    watch_add(monitor, id, false, fd);
}

void monitor_watch_exec(struct monitor *monitor, const char *exec_id, int fd)
{
    watch_add(monitor, exec_id, true, fd);
}

void monitor_forget_restart(struct monitor *monitor, const char *id)
{
    LOCK_SCOPE(&monitor->lock);
    struct watch *watch = watch_find(monitor, id);
    if (watch != NULL && watch->fd < 0)
        watch_free(watch);
}

void monitor_restart_later(struct monitor *monitor, const char *id, int64_t delay_ms)
{
    struct exit_outcome outcome = { .will_restart = true, .delay_ms = delay_ms };

    settle(monitor, id, &outcome);
    wake(monitor);
}

void monitor_defer(struct monitor *monitor, monitor_work_fn work, const char *id)
{
    monitor_work_add(monitor->work, work, id);
}

bool monitor_has_deferred(const struct monitor *monitor, const char *id)
{
    return monitor != NULL && monitor_work_has(monitor->work, id);
}

/* The monitor's own descriptors: what is not a watch stands for itself. */
static int poll_own(struct monitor *monitor, struct error *err)
{
    struct epoll_event wake = { .events = EPOLLIN, .data.ptr = NULL };
    struct epoll_event logs = { .events = EPOLLIN, .data.ptr = monitor->log_watch };

    if (epoll_ctl(monitor->epoll_fd, EPOLL_CTL_ADD, monitor->wake_fd, &wake) < 0 ||
        epoll_ctl(monitor->epoll_fd, EPOLL_CTL_ADD, log_watch_fd(monitor->log_watch), &logs) < 0)
        return fail_sys(err, -errno, "cannot make the monitor");
    return 0;
}

static void *monitor_main(void *argument)
{
    struct monitor *monitor = argument;
    struct epoll_event events[EVENTS_MAX];
    cleanup_arena struct arena *mem = arena_new();
    struct task task = {
        .service = monitor->service,
        .db = monitor->db,
        .mem = mem,
        .actor = "volumed",
    };
    bool is_ending = false;

    while (!is_ending) {
        int count = epoll_wait(monitor->epoll_fd, events, EVENTS_MAX, next_timeout_ms(monitor));
        for (int i = 0; i < count; i++) {
            eventfd_t ignored;
            if (events[i].data.ptr == NULL)
                (void)eventfd_read(monitor->wake_fd, &ignored); /* EAGAIN: someone was faster */
            else if (events[i].data.ptr == monitor->log_watch)
                log_watch_dispatch(monitor->log_watch);
            else
                handle_input(monitor, &task, events[i].data.ptr);
        }
        do_due(monitor, &task);
        arena_reset(mem);
        LOCK_SCOPE(&monitor->lock);
        is_ending = monitor->is_ending;
    }
    return NULL;
}

/* A container that comes back keeps the memory of its last delay. */
static void watch_add(struct monitor *monitor, const char *id, bool is_exec, int fd)
{
    LOCK_SCOPE(&monitor->lock);
    struct watch *watch = watch_find(monitor, id);
    if (watch == NULL) {
        watch = mem_alloc(sizeof(*watch));
        *watch = (struct watch){ .fd = -1, .is_exec = is_exec };
        assert(strlen(id) < sizeof(watch->id));
        memcpy(watch->id, id, strlen(id) + 1);
        list_append(&monitor->watches, &watch->node);
    }
    sys_close_fd(&watch->fd);
    watch->fd = fd;
    watch->is_unrecorded = false;
    watch->line_size = 0;
    watch_poll(monitor, watch);
}

/* With the lock held. */
static void watch_poll(struct monitor *monitor, struct watch *watch)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = watch };

    if (epoll_ctl(monitor->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) < 0)
        log_error("cannot watch id=%s errno=%d", watch->id, errno);
}

/* With the lock held. */
static struct watch *watch_find(struct monitor *monitor, const char *id)
{
    list_each(node, &monitor->watches) {
        struct watch *watch = container_of(node, struct watch, node);
        if (strcmp(watch->id, id) == 0)
            return watch;
    }
    return NULL;
}

static void watch_free(struct watch *watch)
{
    list_remove(&watch->node);
    sys_close_fd(&watch->fd);
    free(watch);
}

static int next_timeout_ms(struct monitor *monitor)
{
    int64_t due_ms = INT64_MAX;

    LOCK_SCOPE(&monitor->lock);
    list_each(node, &monitor->watches) {
        const struct watch *watch = container_of(node, struct watch, node);
        if (watch->fd < 0 && watch->due_ms < due_ms)
            due_ms = watch->due_ms;
    }
    if (due_ms == INT64_MAX)
        return -1;
    int64_t left_ms = due_ms - clock_mono_ms();
    return left_ms < 0 ? 0 : (int)left_ms;
}

static void do_due(struct monitor *monitor, struct task *task)
{
    char id[HEX_ID_SIZE];
    struct box_exit end;
    bool is_unrecorded;

    while (take_due(monitor, id, &is_unrecorded)) {
        if (!is_unrecorded) {
            monitor_work_add(monitor->work, container_start_again, id);
            continue;
        }
        monitor_read_end(task, id, &end);
        record(monitor, task, id, &end, 0);
    }
}

static bool take_due(struct monitor *monitor, char id[HEX_ID_SIZE], bool *is_unrecorded)
{
    int64_t now_ms = clock_mono_ms();

    LOCK_SCOPE(&monitor->lock);
    list_each(node, &monitor->watches) {
        struct watch *watch = container_of(node, struct watch, node);
        if (watch->fd >= 0 || watch->due_ms > now_ms)
            continue;
        watch->due_ms = INT64_MAX;
        *is_unrecorded = watch->is_unrecorded;
        memcpy(id, watch->id, HEX_ID_SIZE);
        return true;
    }
    return false;
}

static void handle_input(struct monitor *monitor, struct task *task, struct watch *watch)
{
    ssize_t got = sys_read(watch->fd, watch->line + watch->line_size,
                           sizeof(watch->line) - 1 - watch->line_size);
    bool is_watched = true;

    if (got == -EAGAIN)
        return;
    if (got <= 0) {
        lost_supervisor(monitor, task, watch);
        return;
    }
    watch->line_size += (size_t)got;
    while (is_watched && take_line(watch))
        is_watched = handle_line(monitor, task, watch);
}

/* The next whole line goes to watch->said, without its newline. */
static bool take_line(struct watch *watch)
{
    const char *newline = memchr(watch->line, '\n', watch->line_size);

    if (newline == NULL)
        return false;
    size_t size = (size_t)(newline - watch->line);
    memcpy(watch->said, watch->line, size);
    watch->said[size] = '\0';
    watch->line_size -= size + 1;
    memmove(watch->line, newline + 1, watch->line_size);
    return true;
}

/* False when it was the last, and the watch may be gone. */
static bool handle_line(struct monitor *monitor, struct task *task, struct watch *watch)
{
    struct box_exit end;
    struct error err;

    if (strncmp(watch->said, "exited ", 7) == 0) {
        if (box_exit_parse(watch->said + 7, &end, &err) == 0)
            handle_end(monitor, task, watch, &end);
        else
            lost_supervisor(monitor, task, watch);
        return false;
    }
    if (strcmp(watch->said, "oom") == 0 && !watch->is_exec &&
        container_record_oom(task, watch->id, &err) < 0)
        log_error("cannot record an oom id=%s error=\"%s\"", watch->id, err.message);
    return true;
}

static void handle_end(struct monitor *monitor, struct task *task, struct watch *watch,
                       const struct box_exit *end)
{
    char id[HEX_ID_SIZE];
    bool is_exec = watch->is_exec;
    int64_t last_delay_ms = watch->last_delay_ms;

    memcpy(id, watch->id, sizeof(id));
    detach(monitor, watch);
    if (is_exec) {
        execs_ended(task, id, end);
        return;
    }
    record(monitor, task, id, end, last_delay_ms);
}

/* What cannot be written down (a full disk) is tried again: the box keeps it. */
static void record(struct monitor *monitor, struct task *task, const char *id,
                   const struct box_exit *end, int64_t last_delay_ms)
{
    struct exit_outcome outcome;
    struct error err;

    if (container_record_exit(task, id, end, last_delay_ms, &outcome, &err) == 0) {
        settle(monitor, id, &outcome);
        return;
    }
    log_error("cannot record an exit id=%s error=\"%s\"", id, err.message);
    record_later(monitor, id);
}

static void record_later(struct monitor *monitor, const char *id)
{
    LOCK_SCOPE(&monitor->lock);
    struct watch *watch = watch_find(monitor, id);
    if (watch == NULL)
        return;
    watch->is_unrecorded = true;
    watch->due_ms = clock_mono_ms() + RECORD_RETRY_MS;
}

/* The supervisor has gone without a word: its box may tell, else it was killed. */
static void lost_supervisor(struct monitor *monitor, struct task *task, struct watch *watch)
{
    struct box_exit end = { .code = MONITOR_CODE_UNKNOWN, .finished_ns = clock_now_ns() };
    cleanup_exec struct exec exec = { 0 };
    struct error ignored; /* one that is not known any more needs no code */

    if (watch->is_exec) {
        if (execs_get(task, watch->id, &exec, &ignored) == 0)
            (void)exec_box_read_exit(task, &exec, &end); /* without it the code stays unknown */
        handle_end(monitor, task, watch, &end);
        return;
    }
    monitor_read_end(task, watch->id, &end);
    if (end.code == MONITOR_CODE_UNKNOWN) { /* it had gone on alone until just now */
        log_warn("supervisor lost, container killed id=%s", watch->id);
        end.code = MONITOR_CODE_KILLED;
    }
    handle_end(monitor, task, watch, &end);
}

/* Not in the epoll set any more; the entry stays for the restart's sake. */
static void detach(struct monitor *monitor, struct watch *watch)
{
    LOCK_SCOPE(&monitor->lock);
    (void)epoll_ctl(monitor->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL); /* close does it too */
    sys_close_fd(&watch->fd);
    watch->due_ms = INT64_MAX;
    if (watch->is_exec)
        watch_free(watch);
}

static void settle(struct monitor *monitor, const char *id, const struct exit_outcome *outcome)
{
    LOCK_SCOPE(&monitor->lock);
    struct watch *watch = watch_find(monitor, id);
    if (watch != NULL && watch->fd >= 0)
        return; /* started again meanwhile */
    if (!outcome->will_restart) {
        if (watch != NULL)
            watch_free(watch);
        return;
    }
    if (watch == NULL) {
        watch = mem_alloc(sizeof(*watch));
        *watch = (struct watch){ .fd = -1 };
        memcpy(watch->id, id, strlen(id) + 1);
        list_append(&monitor->watches, &watch->node);
    }
    watch->is_unrecorded = false;
    watch->last_delay_ms = outcome->delay_ms;
    watch->due_ms = clock_mono_ms() + outcome->delay_ms;
}

static void wake(struct monitor *monitor)
{
    (void)eventfd_write(monitor->wake_fd, 1); /* EAGAIN: it is awake */
}
