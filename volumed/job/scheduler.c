/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of what is due how often, and two threads that sleep until the next of them: one for jobs
 * that are done at once, one for those that may take minutes.  Each has its own database connection
 * by way of the thread's task.
 */
#include "job/scheduler.h"

#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "core/history.h"
#include "core/op.h"
#include "core/reconcile.h"
#include "core/service.h"
#include "core/space.h"
#include "store/db.h"

#define MS_PER_S  ((int64_t)1000)
#define NS_PER_MS 1000000L

struct job {
    const char *name;
    int64_t every_ms;
    int (*run)(struct task *task, struct error *err);
    bool is_slow; /* may take minutes: it runs where nothing else waits for it */
};

static int run_resume(struct task *task, struct error *err);
static int run_trim(struct task *task, struct error *err);

static const struct job jobs[] = {
    { "resume", 30 * MS_PER_S, run_resume, false },
    { "trim", 30 * MS_PER_S, run_trim, false },
    { "space", 30 * MS_PER_S, space_tend, false },
    { "history", 3600 * MS_PER_S, history_prune, false },
    { "reconcile", 3600 * MS_PER_S, reconcile_and_log, false },
};

struct lane {
    struct scheduler *scheduler;
    const char *name;
    bool is_slow;
    bool is_started;
    pthread_t thread;
    int64_t due_ms[ARRAY_SIZE(jobs)]; /* monotonic; of its own jobs */
};

struct scheduler {
    struct service *service;
    struct lane lanes[2];
    pthread_mutex_t lock; /* guards: is_stopping */
    pthread_cond_t bell;
    bool is_stopping;
};

static void *run(void *argument);
static bool sleep_until(struct scheduler *scheduler, int64_t when_ms);
static int64_t run_due(struct lane *lane, struct task *task);

struct scheduler *scheduler_start(struct service *service, struct error *err)
{
    struct scheduler *scheduler = mem_alloc(sizeof(*scheduler));
    pthread_condattr_t attributes;

    scheduler->service = service;
    (void)pthread_mutex_init(&scheduler->lock, NULL); /* cannot fail with default attributes */
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&scheduler->bell, &attributes);
    scheduler->lanes[0] = (struct lane){ .name = "scheduler" };
    scheduler->lanes[1] = (struct lane){ .name = "slow-jobs", .is_slow = true };
    for (size_t i = 0; i < ARRAY_SIZE(scheduler->lanes); i++) {
        struct lane *lane = &scheduler->lanes[i];
        lane->scheduler = scheduler;
        for (size_t j = 0; j < ARRAY_SIZE(jobs); j++)
            lane->due_ms[j] = clock_mono_ms() + jobs[j].every_ms;
        lane->is_started = thread_start(&lane->thread, lane->name, run, lane, err) == 0;
        if (!lane->is_started) {
            scheduler_stop(scheduler);
            return NULL;
        }
    }
    return scheduler;
}

void scheduler_stop(struct scheduler *scheduler)
{
    if (scheduler == NULL)
        return;
    (void)lock_take(&scheduler->lock);
    scheduler->is_stopping = true;
    scheduler->service->is_stopping = true;
    (void)pthread_cond_broadcast(&scheduler->bell);
    (void)pthread_mutex_unlock(&scheduler->lock);
    for (size_t i = 0; i < ARRAY_SIZE(scheduler->lanes); i++)
        if (scheduler->lanes[i].is_started)
            (void)pthread_join(scheduler->lanes[i].thread, NULL);
    (void)pthread_cond_destroy(&scheduler->bell);
    (void)pthread_mutex_destroy(&scheduler->lock);
    free(scheduler);
}

static void *run(void *argument)
{
    struct lane *lane = argument;
    struct scheduler *scheduler = lane->scheduler;
    struct task task = { .service = scheduler->service, .actor = "volumed" };
    struct error err;

    log_scope(lane->is_slow ? "thread=slow-jobs" : "thread=scheduler");
    task.db = service_db_open(scheduler->service, &err);
    if (task.db == NULL) {
        log_error("no jobs will run error=\"%s\"", err.message);
        return NULL;
    }
    task.mem = arena_new();
    while (sleep_until(scheduler, run_due(lane, &task)))
        arena_reset(task.mem);
    arena_free(task.mem);
    db_close(task.db);
    return NULL;
}

/* Runs what is due in the lane and returns when the next will be. */
static int64_t run_due(struct lane *lane, struct task *task)
{
    int64_t next_ms = INT64_MAX;

    for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
        struct error err;
        if (jobs[i].is_slow != lane->is_slow)
            continue;
        if (lane->due_ms[i] <= clock_mono_ms()) {
            if (jobs[i].run(task, &err) < 0)
                log_error("job failed name=%s error=\"%s\"", jobs[i].name, err.message);
            lane->due_ms[i] = clock_mono_ms() + jobs[i].every_ms;
        }
        if (lane->due_ms[i] < next_ms)
            next_ms = lane->due_ms[i];
    }
    return next_ms;
}

/* False when the thread is to end. */
static bool sleep_until(struct scheduler *scheduler, int64_t when_ms)
{
    struct timespec when = { .tv_sec = when_ms / MS_PER_S,
                             .tv_nsec = when_ms % MS_PER_S * NS_PER_MS };
    LOCK_SCOPE(&scheduler->lock);

    while (!scheduler->is_stopping && clock_mono_ms() < when_ms)
        (void)pthread_cond_timedwait(&scheduler->bell, &scheduler->lock, &when); /* looped */
    return !scheduler->is_stopping;
}

/* What a failed finish left pending; a crash's remains were settled at start. */
static int run_resume(struct task *task, struct error *err)
{
    return op_resume_all(task, err);
}

/* A list of ten thousand takes megabytes for a moment, which malloc would keep for the next one. */
static int run_trim(struct task *task, struct error *err)
{
    (void)task;
    (void)err;
    (void)malloc_trim(0); /* whether there was anything to give back is no matter */
    return 0;
}
