/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of a scaling's work: what is too much goes, what is there is refreshed, what is missing
 * is made.  Each replica's row says what was begun of it, so whoever is resumed does the same
 * again.
 */
#include "core/replica/scale_run.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/operation/event.h"
#include "core/replica/replica.h"
#include "core/service.h"
#include "store/replica.h"

/* 1: the service ends; 0: done; -1: a replica failed, and err says why. */
static int remove_surplus(struct scale_run *run, struct error *err);
static int refresh_all(struct scale_run *run, struct error *err);
static int make_missing(struct scale_run *run, struct error *err);

static int (*const phases[])(struct scale_run *, struct error *) = {
    remove_surplus,
    refresh_all,
    make_missing,
};

static int load(struct scale_run *run, const char *id, struct error *err);
static int find_golden(struct scale_run *run, struct error *err);
static struct replica *find(struct replica *list, int count, int64_t number);
static int make_one(struct scale_run *run, struct replica *replica, struct error *err);
static int refresh_one(struct scale_run *run, struct replica *replica, struct error *err);
static int begin_one(struct scale_run *run, int64_t number, struct error *err);
static int replica_failed(struct scale_run *run, const struct replica *replica, int undone,
                          const struct error *cause, struct error *err);
static int end(struct scale_run *run, const char *state, struct error *err);
static int forget_empty(struct scale_run *run, struct error *err);
static int tell(struct scale_run *run, struct error *err);
static bool is_stopped(const struct scale_run *run);

int scale_run(struct task *task, const char *id, bool is_resumed, int stop_fd, struct error *err)
{
    struct scaling scaling = { 0 };
    struct scale_run run = { .task = task, .scaling = &scaling, .stop_fd = stop_fd };
    int rc = 0;

    if (load(&run, id, err) < 0)
        return -1;
    if (scaling.finished_ms != 0)
        return 0;
    log_info("scaling %s id=%s container=%s replicas=%lld", is_resumed ? "resumed" : "begun", id,
             scaling.group_name, (long long)run.plan.replicas);
    task->actor = scaling.actor;
    for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(phases); i++)
        rc = phases[i](&run, err);
    if (rc > 0)
        return 0;
    if (rc < 0 && scaling.reason[0] == '\0') /* not a replica's failure: tried again */
        return -1;
    return end(&run, rc == 0 ? "done" : "failed", err);
}

static int load(struct scale_run *run, const char *id, struct error *err)
{
    struct task *task = run->task;
    int found = store_scaling_find(task->db, task->mem, id, run->scaling, err);

    if (found <= 0)
        return found < 0 ? -1 : fail(err, ERR_NOT_FOUND, "no such scaling: %s", id);
    if (run->scaling->finished_ms != 0)
        return 0;
    found = store_group_find(task->db, task->mem, run->scaling->group_name, &run->group, err);
    if (found <= 0)
        return found < 0 ? -1
                         : fail(err, ERR_NOT_FOUND, "group '%s' is gone", run->scaling->group_name);
    return scale_plan_read(task, run->scaling->plan, &run->plan, err);
}

static int remove_surplus(struct scale_run *run, struct error *err)
{
    struct replica *list = NULL;
    int count = store_replica_list(run->task->db, run->task->mem, run->group.name, &list, err);

    for (int i = count; i-- > 0 && list[i].number > run->plan.replicas;) {
        struct error cause;
        if (is_stopped(run))
            return 1;
        if (begin_one(run, list[i].number, err) < 0)
            return -1;
        if (replica_remove(run, &list[i], &cause) < 0)
            return replica_failed(run, &list[i], replica_unremove(run, &list[i], err), &cause, err);
    }
    return count < 0 ? -1 : 0;
}

static int refresh_all(struct scale_run *run, struct error *err)
{
    struct replica *list = NULL;
    int count = run->plan.is_refresh
                    ? store_replica_list(run->task->db, run->task->mem, run->group.name, &list, err)
                    : 0;

    for (int i = 0; i < count; i++) {
        bool is_begun =
            strcmp(list[i].state, "refreshing") == 0 || strcmp(list[i].state, "switched") == 0;
        bool is_done = strcmp(list[i].scaling_id, run->scaling->id) == 0;
        if (!is_begun && (is_done || !replica_is_whole(run->task, &list[i])))
            continue; /* one that is not whole is made anew, on what it has */
        if (is_stopped(run))
            return 1;
        int rc = begin_one(run, list[i].number, err) < 0 ? -1 : refresh_one(run, &list[i], err);
        if (rc != 0)
            return rc;
    }
    return count < 0 ? -1 : 0;
}

static int make_missing(struct scale_run *run, struct error *err)
{
    struct replica *list = NULL;
    int count = store_replica_list(run->task->db, run->task->mem, run->group.name, &list, err);

    for (int64_t number = 1; count >= 0 && number <= run->plan.replicas; number++) {
        struct replica fresh = { .group_name = run->group.name, .number = number, .state = "" };
        struct replica *replica = find(list, count, number);
        if (replica == NULL)
            replica = &fresh;
        if (replica_is_whole(run->task, replica))
            continue;
        if (is_stopped(run))
            return 1;
        int rc = begin_one(run, number, err) < 0 ? -1 : make_one(run, replica, err);
        if (rc != 0)
            return rc;
    }
    return count < 0 ? -1 : 0;
}

static struct replica *find(struct replica *list, int count, int64_t number)
{
    for (int i = 0; i < count; i++)
        if (list[i].number == number)
            return &list[i];
    return NULL;
}

static int make_one(struct scale_run *run, struct replica *replica, struct error *err)
{
    struct error cause;

    replica->source_id = run->group.source_id;
    replica->source_name = run->group.source_name;
    replica->scaling_id = run->scaling->id;
    replica->made_ms = clock_now_ms();
    if (replica_save(run, replica, "making", err) < 0)
        return -1;
    int rc = find_golden(run, &cause) < 0 ? -1 : replica_make(run, replica, &cause);
    if (rc >= 0)
        return rc;
    return replica_failed(run, replica, replica_unmake(run, replica, err), &cause, err);
}

static int refresh_one(struct scale_run *run, struct replica *replica, struct error *err)
{
    struct error cause;

    int rc = find_golden(run, &cause) < 0 ? -1 : replica_refresh(run, replica, &cause);
    if (rc >= 0)
        return rc;
    return replica_failed(run, replica, replica_unrefresh(run, replica, err), &cause, err);
}

static int find_golden(struct scale_run *run, struct error *err)
{
    return run->golden.count > 0 ? 0
                                 : golden_find(run->task, run->group.source_id, &run->golden, err);
}

static int begin_one(struct scale_run *run, int64_t number, struct error *err)
{
    run->scaling->replica = number;
    return store_scaling_update(run->task->db, run->scaling, err);
}

/* Unless what was done of it could not be taken back: then that is the error. */
static int replica_failed(struct scale_run *run, const struct replica *replica, int undone,
                          const struct error *cause, struct error *err)
{
    const char *name = replica_name(run->task->mem, replica->group_name, replica->number);

    if (undone < 0)
        return error_prefix(err, "cannot take back replica %s", name);
    run->scaling->reason = arena_printf(run->task->mem, "replica %s: %s", name, cause->message);
    *err = *cause;
    return -1;
}

static int end(struct scale_run *run, const char *state, struct error *err)
{
    cleanup_tx struct tx tx = { 0 };
    struct scaling *scaling = run->scaling;

    scaling->state = state;
    if (strcmp(state, "done") == 0)
        scaling->replica = 0;
    scaling->finished_ms = clock_now_ms();
    if (tx_begin(&tx, run->task->db, err) < 0 || forget_empty(run, err) < 0 ||
        golden_release_unused(run->task, run->group.name, err) < 0 ||
        store_scaling_update(run->task->db, scaling, err) < 0 || tell(run, err) < 0 ||
        tx_commit(&tx, err) < 0)
        return -1;
    event_bell_ring(run->task->service->bell);
    log_info("scaling %s id=%s container=%s reason=\"%s\"", state, scaling->id, scaling->group_name,
             scaling->reason);
    return 0;
}

/* A group without replicas is none: its golden state need not be held. */
static int forget_empty(struct scale_run *run, struct error *err)
{
    struct replica *list = NULL;
    int count = store_replica_list(run->task->db, run->task->mem, run->group.name, &list, err);

    if (count != 0)
        return count < 0 ? -1 : 0;
    return store_group_delete(run->task->db, run->group.name, err);
}

static int tell(struct scale_run *run, struct error *err)
{
    const struct scaling *scaling = run->scaling;
    struct pair items[] = {
        { "name", scaling->group_name },
        { "scaling", scaling->id },
        { "replicas", arena_printf(run->task->mem, "%lld", (long long)run->plan.replicas) },
        { "source", run->group.source_name },
        { "outcome", scaling->state },
        { "reason", scaling->reason },
    };

    return event_emit(run->task, "container", "scale", scaling->group_name,
                      &(struct pairs){ ARRAY_SIZE(items), items }, err);
}

static bool is_stopped(const struct scale_run *run)
{
    struct pollfd pollfd = { .fd = run->stop_fd, .events = POLLIN };

    return run->stop_fd >= 0 && poll(&pollfd, 1, 0) > 0;
}
