/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of a recreation's steps, and what their failures mean.  The state is written before
 * what it names is begun, so that after a crash the row says at least as much as was done.
 */
#include "core/recreate/recreate_run.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/operation/event.h"
#include "core/recreate/generation.h"
#include "core/recreate/recreate_written.h"
#include "core/recreate/rehearse.h"
#include "core/service.h"
#include "store/generation.h"
#include "store/recreation.h"

struct step {
    const char *state; /* while it is done */
    int (*run)(struct recreate_run *run, struct error *err);
};

static const struct step steps[] = {
    { "stopping", recreate_stop },
    { "cutting", recreate_cut },
    { "switching", recreate_switch },
    { "starting", recreate_start },
};

static int go_on(struct recreate_run *run, bool is_resumed, struct error *err);
static int go_forward(struct recreate_run *run, struct error *err);
static int go_through_probation(struct recreate_run *run, struct error *err);
static int go_back(struct recreate_run *run, struct error *err);
static void report_written(struct recreate_run *run);
static void tidy_up(struct recreate_run *run);
static bool is_stopped(const struct recreate_run *run);

int recreate_run(struct task *task, const char *id, bool is_resumed, int stop_fd, struct error *err)
{
    struct recreation recreation;
    struct recreate_run run = { .task = task, .recreation = &recreation, .stop_fd = stop_fd };
    int found = store_recreation_find(task->db, task->mem, id, &recreation, err);

    if (found <= 0)
        return found < 0 ? -1 : fail(err, ERR_NOT_FOUND, "no such recreation: %s", id);
    if (recreate_plan_read(task, recreation.plan, &run.plan, err) < 0)
        return -1;
    task->actor = recreation.actor;
    run.report = json_read(recreation.report, strlen(recreation.report), err);
    int rc = run.report == NULL ? -1 : go_on(&run, is_resumed, err);
    json_decref(run.report);
    return rc;
}

static int go_on(struct recreate_run *run, bool is_resumed, struct error *err)
{
    struct recreation *recreation = run->recreation;

    if (recreation->finished_ms != 0)
        return 0;
    if (run->plan.is_rehearsal)
        return rehearse_run(run, is_resumed, err);
    if (strcmp(recreation->state, "probation") == 0)
        return go_through_probation(run, err);
    if (strcmp(recreation->state, "undoing") == 0)
        return go_back(run, err);
    if (!is_resumed)
        return go_forward(run, err);
    recreation->reason =
        arena_printf(run->task->mem, "volumed ended while it was %s", recreation->state);
    return go_back(run, err);
}

static int go_forward(struct recreate_run *run, struct error *err)
{
    struct error cause;

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        if (is_stopped(run))
            return 0;
        run->recreation->state = steps[i].state;
        if (recreate_save(run, err) < 0)
            return -1;
        log_info("recreation %s id=%s", steps[i].state, run->recreation->id);
        if (steps[i].run(run, &cause) < 0) {
            run->recreation->reason = arena_strdup(run->task->mem, cause.message);
            return go_back(run, err);
        }
    }
    run->recreation->state = "probation";
    run->recreation->deadline_ms = run->plan.probation_ms == PROBATION_MANUAL
                                       ? INT64_MAX
                                       : clock_now_ms() + run->plan.probation_ms;
    return recreate_save(run, err) < 0 ? -1 : go_through_probation(run, err);
}

static int go_through_probation(struct recreate_run *run, struct error *err)
{
    struct error cause;
    int verdict = recreate_watch(run, &cause);

    if (verdict == 0)
        return 0;
    if (verdict > 0) {
        report_written(run);
        if (recreate_end(run, "committed", err) < 0)
            return -1;
        tidy_up(run);
        return 0;
    }
    run->recreation->reason = arena_strdup(run->task->mem, cause.message);
    return go_back(run, err);
}

/* In its probation: since the cut, or since the data of a generation was put back. */
static void report_written(struct recreate_run *run)
{
    const char *target = run->plan.target_set;

    if (run->plan.probation_ms != 0)
        recreate_report_written(run, target != NULL ? target : run->recreation->set_name, NULL,
                                NULL);
}

/* What a crash here leaves is removed at the next start, generations after the next recreation. */
static void tidy_up(struct recreate_run *run)
{
    struct error err;

    generation_prune(run->task, run->recreation, run->plan.keep);
    if (generation_set_drop(run->task, run->plan.target_set, &err) < 0)
        log_warn("a set stays set=%s error=\"%s\"", run->plan.target_set, err.message);
}

static int go_back(struct recreate_run *run, struct error *err)
{
    run->recreation->state = "undoing";
    log_info("recreation undoing id=%s reason=\"%s\"", run->recreation->id,
             run->recreation->reason);
    if (recreate_save(run, err) < 0 || recreate_undo(run, err) < 0)
        return -1;
    return recreate_end(run, "rolled_back", err);
}

int recreate_end(struct recreate_run *run, const char *state, struct error *err)
{
    cleanup_tx struct tx tx = { 0 };

    run->recreation->state = state;
    run->recreation->finished_ms = clock_now_ms();
    recreate_report(run, "duration_ms",
                    json_integer(run->recreation->finished_ms - run->recreation->started_ms));
    if (tx_begin(&tx, run->task->db, err) < 0 || recreate_save(run, err) < 0 ||
        recreate_emit(run, err) < 0 || tx_commit(&tx, err) < 0)
        return -1;
    event_bell_ring(run->task->service->bell);
    log_info("recreation %s id=%s", state, run->recreation->id);
    return 0;
}

static bool is_stopped(const struct recreate_run *run)
{
    struct pollfd pollfd = { .fd = run->stop_fd, .events = POLLIN };

    return run->stop_fd >= 0 && poll(&pollfd, 1, 0) > 0;
}

const char *recreate_next_name(struct task *task, const struct recreation *recreation,
                               const char *name)
{
    size_t length = strlen(recreation->id); /* the end of a UUID is its random part */

    return arena_printf(task->mem, "%s.next-%s", name, recreation->id + length - 8);
}

void recreate_report(struct recreate_run *run, const char *key, json_t *value)
{
    json_set(run->report, key, value);
}

int64_t recreate_reported(const struct recreate_run *run, const char *key)
{
    return json_integer_value(json_object_get(run->report, key));
}

int recreate_is_switched(struct recreate_run *run, bool *is_switched, struct error *err)
{
    struct generation generation;
    int found = store_generation_find(run->task->db, run->task->mem,
                                      run->recreation->members[0].old_id, &generation, err);

    *is_switched = found > 0;
    return found < 0 ? -1 : 0;
}

int recreate_save(struct recreate_run *run, struct error *err)
{
    run->recreation->report = json_write(run->task->mem, run->report);
    return store_recreation_update(run->task->db, run->recreation, err);
}

int recreate_emit(struct recreate_run *run, struct error *err)
{
    const struct recreation *recreation = run->recreation;

    for (size_t i = 0; i < recreation->count; i++) {
        const struct recreation_member *member = &recreation->members[i];
        struct pair items[] = { { "name", member->name },
                                { "recreation", recreation->id },
                                { "outcome", recreation->state },
                                { "reason", recreation->reason } };
        const struct pairs attributes = { ARRAY_SIZE(items), items };
        bool is_new = strcmp(recreation->state, "committed") == 0;
        if (event_emit(run->task, "container", run->plan.is_rehearsal ? "rehearse" : "recreate",
                       is_new ? member->new_id : member->old_id, &attributes, err) < 0)
            return -1;
    }
    return 0;
}
