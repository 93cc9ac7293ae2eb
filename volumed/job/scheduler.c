/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of what is due when, and threads that sleep until the next of them: one for jobs that are
 * done at once, one for those that may take minutes.  What is due every so often is told by a
 * period; what rows tell the time of says itself when it is due next, and who changes such rows
 * rings the service's alarm.  Each thread has its own database connection by way of its task.
 */
#include "job/scheduler.h"

#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "core/attachment/lease.h"
#include "core/operation/history.h"
#include "core/operation/op.h"
#include "core/pool/pool_disk.h"
#include "core/pool/pool_mirror.h"
#include "core/pool/space.h"
#include "core/reconcile/reconcile.h"
#include "core/service.h"
#include "core/snapshot/policy.h"
#include "core/volume/trash.h"
#include "core/volume/volume_compact.h"
#include "core/volume/volume_measure.h"
#include "store/db.h"

#define MS_PER_S ((int64_t)1000)
#define RETRY_MS ((int64_t)30000) /* after a failure of what would be due again at once */

enum lane_id {
    LANE_QUICK,
    LANE_POLICY, /* may wait for writers to stand still */
    LANE_SLOW,   /* may take minutes: it runs where nothing else waits for it */
    LANE_COUNT
};

struct job {
    const char *name;
    int64_t every_ms;
    int (*run)(struct task *task, struct error *err);
    enum lane_id lane;

    /* When it has something to do, by the wall clock, or 0 for not before every_ms.  May be NULL.
     */
    int (*next)(struct task *task, int64_t *due_ms, struct error *err);
};

static int run_resume(struct task *task, struct error *err);
static int run_trim(struct task *task, struct error *err);

static const struct job jobs[] = {
    { "resume", 30 * MS_PER_S, run_resume, LANE_QUICK, NULL },
    { "leases", 30 * MS_PER_S, lease_tend, LANE_QUICK, NULL },
    { "trim", 30 * MS_PER_S, run_trim, LANE_QUICK, NULL },
    { "space", 30 * MS_PER_S, space_tend, LANE_QUICK, space_next },
    { "grow", 2 * MS_PER_S, pool_disk_grow_due, LANE_QUICK, NULL },
    { "mirror", 2 * MS_PER_S, pool_mirror_tend, LANE_QUICK, NULL },
    { "policies", 30 * MS_PER_S, policy_run_due, LANE_POLICY, policy_next_due },
    { "trash", 3600 * MS_PER_S, trash_purge_expired, LANE_SLOW, trash_next_expiry },
    { "measure", 600 * MS_PER_S, volume_measure_all, LANE_SLOW, NULL },
    { "layers", 60 * MS_PER_S, volume_compact_due, LANE_SLOW, NULL },
    { "history", 3600 * MS_PER_S, history_prune, LANE_QUICK, NULL },
    { "reconcile", 3600 * MS_PER_S, reconcile_and_log, LANE_QUICK, NULL },
};

struct lane {
    struct scheduler *scheduler;
    enum lane_id id;
    bool is_started;
    pthread_t thread;
    int64_t due_ms[ARRAY_SIZE(jobs)];      /* monotonic; of its own jobs */
    int64_t earliest_ms[ARRAY_SIZE(jobs)]; /* monotonic: not before, whatever rows say */
};

struct scheduler {
    struct service *service;
    struct lane lanes[LANE_COUNT];
};

static int start_lane(struct lane *lane, struct error *err);
static void *run(void *argument);
static int64_t run_due(struct lane *lane, struct task *task);
static void run_job(struct lane *lane, size_t index, struct task *task);
static int64_t due_of(const struct lane *lane, size_t index, struct task *task);

static const char *const lane_names[] = {
    [LANE_QUICK] = "scheduler",
    [LANE_POLICY] = "policies",
    [LANE_SLOW] = "slow-jobs",
};

static const char *const lane_scopes[] = {
    [LANE_QUICK] = "thread=scheduler",
    [LANE_POLICY] = "thread=policies",
    [LANE_SLOW] = "thread=slow-jobs",
};

struct scheduler *scheduler_start(struct service *service, struct error *err)
{
    struct scheduler *scheduler = mem_alloc(sizeof(*scheduler));

    scheduler->service = service;
    for (size_t i = 0; i < ARRAY_SIZE(scheduler->lanes); i++) {
        scheduler->lanes[i] = (struct lane){ .scheduler = scheduler, .id = (enum lane_id)i };
        if (start_lane(&scheduler->lanes[i], err) < 0) {
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
    scheduler->service->is_stopping = true;
    alarm_stop(&scheduler->service->alarm);
    for (size_t i = 0; i < ARRAY_SIZE(scheduler->lanes); i++)
        if (scheduler->lanes[i].is_started)
            (void)pthread_join(scheduler->lanes[i].thread, NULL);
    free(scheduler);
}

static int start_lane(struct lane *lane, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
        lane->due_ms[i] = clock_mono_ms() + jobs[i].every_ms;
    int rc = thread_start(&lane->thread, lane_names[lane->id], run, lane, err);
    lane->is_started = rc == 0;
    return rc;
}

static void *run(void *argument)
{
    struct lane *lane = argument;
    struct service *service = lane->scheduler->service;
    struct task task = { .service = service, .actor = "volumed" };
    uint64_t seen = 0;
    struct error err;

    log_scope(lane_scopes[lane->id]);
    task.db = service_db_open(service, &err);
    if (task.db == NULL) {
        log_error("no jobs will run error=\"%s\"", err.message);
        return NULL;
    }
    task.mem = arena_new();
    while (alarm_wait(&service->alarm, &seen, run_due(lane, &task)))
        arena_reset(task.mem);
    arena_free(task.mem);
    db_close(task.db);
    return NULL;
}

/* Runs what is due and returns when the next will be. */
static int64_t run_due(struct lane *lane, struct task *task)
{
    int64_t next_ms = INT64_MAX;

    for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
        if (jobs[i].lane != lane->id)
            continue;
        if (due_of(lane, i, task) <= clock_mono_ms())
            run_job(lane, i, task);
        int64_t due_ms = due_of(lane, i, task);
        if (due_ms < next_ms)
            next_ms = due_ms;
    }
    return next_ms;
}

static void run_job(struct lane *lane, size_t index, struct task *task)
{
    struct error err;
    bool is_failed = jobs[index].run(task, &err) < 0;
    int64_t now_ms = clock_mono_ms();

    if (is_failed)
        log_error("job failed name=%s error=\"%s\"", jobs[index].name, err.message);
    lane->due_ms[index] = now_ms + jobs[index].every_ms;
    lane->earliest_ms[index] = now_ms + (is_failed ? RETRY_MS : 0);
}

/* By its period or, if that is earlier, by its rows. */
static int64_t due_of(const struct lane *lane, size_t index, struct task *task)
{
    int64_t due_ms = lane->due_ms[index];
    int64_t wall_ms = 0;
    struct error err;

    if (jobs[index].next == NULL)
        return due_ms;
    if (jobs[index].next(task, &wall_ms, &err) < 0) {
        log_error("cannot tell what is due name=%s error=\"%s\"", jobs[index].name, err.message);
        return due_ms;
    }
    int64_t by_rows_ms = clock_mono_ms() + (wall_ms - clock_now_ms());
    if (wall_ms == 0 || by_rows_ms >= due_ms)
        return due_ms;
    return by_rows_ms > lane->earliest_ms[index] ? by_rows_ms : lane->earliest_ms[index];
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
