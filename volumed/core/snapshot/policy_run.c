/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running policies.  Each cut and each removal is an operation of its own, so a run that is cut off
 * has done a part of its work, and the next goes on: snapshots are named by the time that the run
 * was due, so that a second try makes none twice.
 */
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/operation/claim.h"
#include "core/operation/event.h"
#include "core/pool/pool.h"
#include "core/pool/space_reliefs.h"
#include "core/service.h"
#include "core/snapshot/policy.h"
#include "core/snapshot/set.h"
#include "core/snapshot/snapshot.h"
#include "core/snapshot/snapshot_name.h"
#include "store/db.h"
#include "store/policy.h"

#define RETRY_MIN_MS   ((int64_t)30000)
#define RETRY_MAX_MS   ((int64_t)3600000)
#define EXPIRE_MAX     1000 /* of one volume in one run; the next goes on */
#define SETTLE_MS      3000 /* for removed data to become free space */
#define SETTLE_STEP_MS 50
#define NS_PER_MS      1000000

struct run {
    struct policy *policy;
    int64_t time_ms; /* names the snapshots */
    struct policy_result *result;
    struct error *first; /* what went wrong first */
};

static void run_volumes(struct task *task, struct run *run);
static void run_unit(struct task *task, struct run *run, const struct volume *volume);
static void note_failure(struct run *run, const struct error *failure);
static int cut(struct task *task, const struct run *run, const struct volume *volume,
               struct error *err);
static int cut_set(struct task *task, const struct run *run, struct error *err);
static const char *name_of(struct task *task, const struct run *run);
static int expire(struct task *task, const struct run *run, const struct volume *volume,
                  struct error *err);
static const struct policy_item *first_to_go(const struct policy_verdicts *verdicts);
static int expire_one(struct task *task, const struct policy *policy,
                      const struct policy_item *item, struct error *err);
static bool is_space_back(struct task *task, const char *pool_id, int64_t free_bytes);
static void run_one_due(struct task *task, const struct policy *due);
static int end_run(struct task *task, struct policy *policy, const struct policy_result *result,
                   const struct error *failure, struct error *err);
static int64_t backoff_ms(int64_t failures);
static int give_expired(struct task *task, const struct pool *pool, struct error *err);
static int give_expired_of(struct task *task, const struct policy *policy, const struct pool *pool,
                           struct error *err);
static int tell_run(struct task *task, const struct policy *policy,
                    const struct policy_result *result, struct error *err);

const struct space_relief policy_relief = { "expired snapshots", give_expired };

int policy_run(struct task *task, const char *ref, struct policy_result *result, struct error *err)
{
    cleanup_claim struct claim claim = { 0 };
    cleanup_tx struct tx tx = { 0 };
    struct policy policy;
    struct error failure = { 0 };
    struct error ignored; /* the run has been; an event less is no reason to call it failed */

    *result = (struct policy_result){ 0 };
    if (policy_get(task, ref, &policy, err) < 0)
        return -1;
    claim_enter(&claim, policy.id); /* it may be due at this moment */
    if (policy_get(task, policy.id, &policy, err) < 0)
        return -1;
    if (policy.is_dormant)
        return fail(err, ERR_CONFLICT, "the volume of policy '%s' is in the trash", policy.name);
    struct run run = { &policy, clock_now_ms(), result, &failure };
    run_volumes(task, &run);
    policy.last_ms = run.time_ms;
    policy.error = failure.message;
    if (tx_begin(&tx, task->db, &ignored) == 0 &&
        store_policy_set_run(task->db, &policy, &ignored) == 0 &&
        tell_run(task, &policy, result, &ignored) == 0)
        (void)tx_commit(&tx, &ignored);
    if (failure.message[0] == '\0')
        return 0;
    *err = failure;
    return -1;
}

int policy_run_due(struct task *task, struct error *err)
{
    struct policy *list = NULL;
    int count = store_policy_list_due(task->db, task->mem, clock_now_ms(), &list, err);

    for (int i = 0; i < count && !task->service->is_stopping; i++)
        run_one_due(task, &list[i]);
    return count < 0 ? -1 : 0;
}

static void run_volumes(struct task *task, struct run *run)
{
    struct volume *list = NULL;
    struct error failure;
    int count = policy_volumes(task, run->policy, &list, &failure);

    if (count < 0)
        note_failure(run, &failure);
    for (int i = 0; i < count; i++)
        run_unit(task, run, &list[i]);
    if (policy_targets(run->policy, "container"))
        run_unit(task, run, NULL);
}

/* A volume, or the container where there is none. */
static void run_unit(struct task *task, struct run *run, const struct volume *volume)
{
    struct error failure;
    int made = volume != NULL ? cut(task, run, volume, &failure) : cut_set(task, run, &failure);

    if (made < 0)
        note_failure(run, &failure);
    else
        run->result->made += made;
    int expired = expire(task, run, volume, &failure);
    if (expired < 0)
        note_failure(run, &failure);
    else
        run->result->expired += expired;
}

static void note_failure(struct run *run, const struct error *failure)
{
    log_warn("policy failed name=%s error=\"%s\"", run->policy->name, failure->message);
    if (run->result->failed++ == 0)
        *run->first = *failure;
}

/* 1: made; 0: an earlier try of this run has made it. */
static int cut(struct task *task, const struct run *run, const struct volume *volume,
               struct error *err)
{
    struct pair label = { POLICY_LABEL, run->policy->name };
    const struct snapshot_spec spec = {
        .name = name_of(task, run),
        .reason = "policy",
        .labels = { 1, &label },
    };
    struct snapshot snapshot;

    if (snapshot_create(task, volume->id, &spec, &snapshot, err) == 0)
        return 1;
    return err->code == ERR_EXISTS ? 0 : -1;
}

static int cut_set(struct task *task, const struct run *run, struct error *err)
{
    const char *const containers[] = { run->policy->target, NULL };
    struct pair label = { POLICY_LABEL, run->policy->name };
    const struct set_spec spec = {
        .name = name_of(task, run),
        .containers = containers,
        .reason = "policy",
        .labels = { 1, &label },
    };
    struct snapshot_set set;

    if (set_create(task, &spec, &set, err) == 0)
        return 1;
    return err->code == ERR_EXISTS ? 0 : -1;
}

static const char *name_of(struct task *task, const struct run *run)
{
    return snapshot_name_of_time(task, arena_printf(task->mem, "%s-", run->policy->name),
                                 run->time_ms * NS_PER_MS, false);
}

/* Judged anew after each: space may be back, and holds may have come. */
static int expire(struct task *task, const struct run *run, const struct volume *volume,
                  struct error *err)
{
    int expired = 0;

    while (expired < EXPIRE_MAX) {
        struct policy_verdicts verdicts;
        struct pool_space space = { 0 };
        struct error ignored; /* space that is not known does not come back */
        if (policy_judge(task, run->policy, volume, &verdicts, err) < 0)
            return -1;
        const struct policy_item *item = first_to_go(&verdicts);
        if (item == NULL)
            break;
        (void)pool_space(task, verdicts.pool_id, &space, &ignored);
        if (expire_one(task, run->policy, item, err) < 0)
            return -1;
        expired++;
        if (item->verdict.is_for_space && !is_space_back(task, verdicts.pool_id, space.free_bytes))
            break;
    }
    return expired;
}

static const struct policy_item *first_to_go(const struct policy_verdicts *verdicts)
{
    for (int i = 0; i < verdicts->count; i++)
        if (!verdicts->items[i].verdict.is_kept)
            return &verdicts->items[i];
    return NULL;
}

/* Past the trash: retention is what forgives here, and it has spoken. */
static int expire_one(struct task *task, const struct policy *policy,
                      const struct policy_item *item, struct error *err)
{
    const struct snapshot_remove_spec spec = { .is_now = true };
    const struct set_remove_spec set_spec = { .is_now = true };
    struct pair items[] = { { item->volume_id != NULL ? "snapshot" : "set", item->name },
                            { "why", item->verdict.reasons[0] } };
    int rc = item->volume_id != NULL ? snapshot_remove(task, item->volume_id, item->id, &spec, err)
                                     : set_remove(task, item->id, &set_spec, err);

    if (rc < 0)
        return error_prefix(err, "cannot expire '%s'", item->name);
    return policy_event(task, "expire", policy, &(struct pairs){ ARRAY_SIZE(items), items }, err);
}

/* Some filesystems free what was removed a while later. */
static bool is_space_back(struct task *task, const char *pool_id, int64_t free_bytes)
{
    int64_t until_ms = clock_mono_ms() + SETTLE_MS;

    while (clock_mono_ms() < until_ms && !task->service->is_stopping) {
        struct pool_space space;
        struct error err;
        if (pool_space(task, pool_id, &space, &err) < 0)
            return false;
        if (space.free_bytes > free_bytes)
            return true;
        (void)poll(NULL, 0, SETTLE_STEP_MS); /* sleeps */
    }
    return false;
}

static void run_one_due(struct task *task, const struct policy *due)
{
    cleanup_claim struct claim claim = { 0 };
    struct policy_result result = { 0 };
    struct error failure = { 0 };
    struct policy policy;
    struct error err;

    claim_enter(&claim, due->id);
    int found = store_policy_find(task->db, task->mem, due->id, &policy, &err);
    if (found > 0 && policy.next_ms <= clock_now_ms()) {
        struct run run = { &policy, policy.due_ms, &result, &failure };
        run_volumes(task, &run);
        found = end_run(task, &policy, &result, &failure, &err);
    }
    if (found < 0)
        log_error("policy not run name=%s error=\"%s\"", due->name, err.message);
}

/* After a failure the same run is tried again, less and less often. */
static int end_run(struct task *task, struct policy *policy, const struct policy_result *result,
                   const struct error *failure, struct error *err)
{
    cleanup_tx struct tx tx = { 0 };

    policy->last_ms = clock_now_ms();
    policy->error = failure->message;
    policy->failures = result->failed > 0 ? policy->failures + 1 : 0;
    if (policy->failures > 0)
        policy->next_ms = policy->last_ms + backoff_ms(policy->failures);
    else if (policy_set_due(policy, policy->last_ms, err) < 0)
        return -1;
    if (tx_begin(&tx, task->db, err) < 0 || store_policy_set_run(task->db, policy, err) < 0 ||
        tell_run(task, policy, result, err) < 0 || tx_commit(&tx, err) < 0)
        return -1;
    event_bell_ring(task->service->bell);
    return 0;
}

static int64_t backoff_ms(int64_t failures)
{
    int64_t wait_ms = RETRY_MIN_MS;

    for (int64_t i = 1; i < failures && wait_ms < RETRY_MAX_MS; i++)
        wait_ms *= 2;
    return wait_ms < RETRY_MAX_MS ? wait_ms : RETRY_MAX_MS;
}

/* The first that no rule keeps any more, of any policy. */
static int give_expired(struct task *task, const struct pool *pool, struct error *err)
{
    struct policy *policies = NULL;
    int count = policy_list(task, &policies, err);
    int given = 0;

    for (int i = 0; i < count && given == 0; i++)
        if (!policies[i].is_dormant)
            given = give_expired_of(task, &policies[i], pool, err);
    return count < 0 ? -1 : given;
}

static int give_expired_of(struct task *task, const struct policy *policy, const struct pool *pool,
                           struct error *err)
{
    struct policy_verdicts *plan = NULL;
    int count = policy_plan(task, policy->id, &plan, err);

    for (int i = 0; i < count; i++) {
        const struct policy_item *item = first_to_go(&plan[i]);
        if (item != NULL && strcmp(plan[i].pool_id, pool->id) == 0)
            return expire_one(task, policy, item, err) < 0 ? -1 : 1;
    }
    return count < 0 ? -1 : 0;
}

static int tell_run(struct task *task, const struct policy *policy,
                    const struct policy_result *result, struct error *err)
{
    struct pair items[] = {
        { "made", arena_printf(task->mem, "%d", result->made) },
        { "expired", arena_printf(task->mem, "%d", result->expired) },
        { "failed", arena_printf(task->mem, "%d", result->failed) },
    };

    return policy_event(task, result->failed > 0 ? "fail" : "run", policy,
                        &(struct pairs){ ARRAY_SIZE(items), items }, err);
}
