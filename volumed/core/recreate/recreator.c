/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, counting and ending the threads of recreations and scalings. */
#include "core/recreate/recreator.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/sys.h"
#include "base/thread.h"
#include "core/operation/task.h"
#include "core/service.h"
#include "store/db.h"

#define RETRY_MS_MIN 100 /* the disk may be full, and have room in a moment */
#define RETRY_MS_MAX 30000

struct recreator {
    struct service *service;
    int stop_fd;          /* readable once the service ends */
    pthread_mutex_t lock; /* guards: threads */
    struct list threads;
};

struct recreation_thread {
    struct recreator *recreator;
    struct list link;
    pthread_t thread;
    recreator_run_fn run;
    char *id;
    bool is_resumed;
    _Atomic bool is_over;
};

static void *thread_body(void *argument);
static bool must_stop(const struct recreator *recreator, int64_t pause_ms);
static void reap(struct recreator *recreator, bool is_last);

struct recreator *recreator_new(struct service *service, struct error *err)
{
    struct recreator *recreator = mem_alloc(sizeof(*recreator));

    *recreator = (struct recreator){ .service = service };
    recreator->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (recreator->stop_fd < 0) {
        free(recreator);
        (void)fail(err, ERR_SYSTEM, "cannot make the recreator's signal");
        return NULL;
    }
    (void)pthread_mutex_init(&recreator->lock, NULL); /* cannot fail for a plain one */
    list_init(&recreator->threads);
    return recreator;
}

void recreator_free(struct recreator *recreator)
{
    uint64_t one = 1;

    if (recreator == NULL)
        return;
    (void)sys_write(recreator->stop_fd, &one, sizeof(one)); /* an empty eventfd takes it */
    reap(recreator, true);
    sys_close_fd(&recreator->stop_fd);
    (void)pthread_mutex_destroy(&recreator->lock);
    free(recreator);
}

int recreator_begin(struct recreator *recreator, recreator_run_fn run, const char *id,
                    bool is_resumed, struct error *err)
{
    struct recreation_thread *thread = mem_alloc(sizeof(*thread));

    reap(recreator, false);
    *thread = (struct recreation_thread){
        .recreator = recreator, .run = run, .id = mem_strdup(id), .is_resumed = is_resumed
    };
    LOCK_SCOPE(&recreator->lock);
    if (thread_start(&thread->thread, "recreation", thread_body, thread, err) < 0) {
        free(thread->id);
        free(thread);
        return -1;
    }
    list_append(&recreator->threads, &thread->link);
    return 0;
}

static void *thread_body(void *argument)
{
    struct recreation_thread *thread = argument;
    struct service *service = thread->recreator->service;
    struct error err;
    cleanup_arena struct arena *mem = arena_new();
    cleanup_db struct db *db = service_db_open(service, &err);
    struct task task = { .service = service, .db = db, .mem = mem, .actor = "volumed" };

    bool is_resumed = thread->is_resumed;

    for (int64_t pause_ms = RETRY_MS_MIN; db != NULL; pause_ms *= 2) {
        if (thread->run(&task, thread->id, is_resumed, thread->recreator->stop_fd, &err) == 0)
            break;
        log_error("not settled id=%s error=\"%s\"", thread->id, err.message);
        is_resumed = true; /* whatever broke off is undone */
        arena_reset(mem);
        if (must_stop(thread->recreator, pause_ms < RETRY_MS_MAX ? pause_ms : RETRY_MS_MAX))
            break;
    }
    if (db == NULL)
        log_error("it waits for the next start id=%s error=\"%s\"", thread->id, err.message);
    thread->is_over = true;
    return NULL;
}

/* Waits meanwhile. */
static bool must_stop(const struct recreator *recreator, int64_t pause_ms)
{
    struct pollfd pollfd = { .fd = recreator->stop_fd, .events = POLLIN };

    return poll(&pollfd, 1, (int)pause_ms) > 0;
}

/* Joins those that are over, or all. */
static void reap(struct recreator *recreator, bool is_last)
{
    LOCK_SCOPE(&recreator->lock);
    list_each(node, &recreator->threads) {
        struct recreation_thread *thread = container_of(node, struct recreation_thread, link);
        if (!is_last && !thread->is_over)
            continue;
        list_remove(&thread->link);
        (void)pthread_join(thread->thread, NULL); /* it is ours and joinable */
        free(thread->id);
        free(thread);
    }
}
