/* SPDX-License-Identifier: Apache-2.0 */
/* The whole failure space of policies and holds (lib/sweep.h). */
#include <errno.h>

#include "base/clock.h"
#include "core/snapshot/policy.h"
#include "core/snapshot/snapshot_hold.h"
#include "lib/sweep.h"
#include "store/policy.h"

#define DUE_MS INT64_C(1700000000000) /* names the snapshots of a run: policy-20231114T221320Z */
#define MADE   "short-20231114T221320Z"

static bool has_policy(struct storage *s, const char *name)
{
    struct policy policy;

    return policy_get(&s->task, name, &policy, &s->err) == 0;
}

static bool has_snapshot(struct storage *s, const char *name)
{
    struct snapshot snapshot;

    return snapshot_get(&s->task, "data", name, &snapshot, &s->err) == 0;
}

static int act_create(struct storage *s)
{
    const struct policy_spec spec = {
        .name = "short", .schedule = "1h", .keep = "last=1", .volume = "data"
    };
    struct policy policy;

    return policy_create(&s->task, &spec, &policy, &s->err);
}

static void before_policy(struct storage *s)
{
    CHECK_OK(act_create(s), &s->err);
}

static void check_create(struct storage *s, bool is_whole)
{
    CHECK(!is_whole || has_policy(s, "short"));
}

static int act_remove(struct storage *s)
{
    return policy_remove(&s->task, "short", &s->err);
}

static void check_remove(struct storage *s, bool is_whole)
{
    CHECK(!is_whole || !has_policy(s, "short"));
}

static int act_bring_along(struct storage *s)
{
    struct pair options[] = { { "snapshots", "hourly" }, { "keep", "7d" } };
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume;
    enum cost cost;
    bool is_new;

    spec.name = "new";
    spec.options = (struct pairs){ ARRAY_SIZE(options), options };
    return volume_create(&s->task, &spec, &volume, &is_new, &cost, &s->err);
}

static void check_bring_along(struct storage *s, bool is_whole)
{
    CHECK(sweep_has_volume(s, "new") == has_policy(s, "volume.new"));
    CHECK(!is_whole || has_policy(s, "volume.new"));
}

/* --- a run by the clock: an older snapshot goes, one is made --- */
static void make_due(struct storage *s, int64_t due_ms)
{
    struct policy policy;

    CHECK_OK(policy_get(&s->task, "short", &policy, &s->err), &s->err);
    policy.due_ms = policy.next_ms = due_ms;
    CHECK_OK(store_policy_set_run(s->task.db, &policy, &s->err), &s->err);
}

static void before_run(struct storage *s)
{
    before_policy(s);
    make_due(s, DUE_MS - 1000);
    CHECK_OK(policy_run_due(&s->task, &s->err), &s->err);
    make_due(s, DUE_MS);
}

static int act_run(struct storage *s)
{
    struct policy policy;

    return policy_run_due(&s->task, &s->err) < 0 ||
                   policy_get(&s->task, "short", &policy, &s->err) < 0 || policy.failures > 0 ||
                   policy.due_ms == DUE_MS
               ? -1
               : 0;
}

/* Whatever was cut off: another try has the same end, with one snapshot and not two. */
static void check_run(struct storage *s, bool is_whole)
{
    struct snapshot *list = NULL;
    struct policy policy;

    CHECK_OK(policy_get(&s->task, "short", &policy, &s->err), &s->err);
    CHECK(!is_whole || (has_snapshot(s, MADE) && policy.next_ms > clock_now_ms()));
    if (policy.due_ms == DUE_MS) {
        policy.next_ms = DUE_MS;
        CHECK_OK(store_policy_set_run(s->task.db, &policy, &s->err), &s->err);
        CHECK_OK(policy_run_due(&s->task, &s->err), &s->err);
    }
    CHECK(has_snapshot(s, MADE));
    sweep_check_snapshot(s, MADE, "two");
    sweep_check_snapshot(s, "s1", "one");
    CHECK_INT(snapshot_list(&s->task, "data", &list, &s->err), 2);
}

/* --- holds --- */
static int act_hold(struct storage *s)
{
    return snapshot_hold(&s->task, "data", "s1", "audit", "user", &s->err);
}

static int hold_count(struct storage *s)
{
    struct hold *list = NULL;

    return snapshot_hold_list(&s->task, "data", "s1", &list, &s->err);
}

static void check_hold(struct storage *s, bool is_whole)
{
    CHECK(hold_count(s) == 1 || !is_whole);
}

static void before_held(struct storage *s)
{
    CHECK_OK(act_hold(s), &s->err);
}

static int act_release(struct storage *s)
{
    return snapshot_release(&s->task, "data", "s1", NULL, &s->err);
}

static void check_release(struct storage *s, bool is_whole)
{
    CHECK(hold_count(s) == 0 || !is_whole);
}

static const struct scenario scenarios[] = {
    { "policy.create", NULL, act_create, check_create },
    { "policy.remove", before_policy, act_remove, check_remove },
    { "volume.create with a policy", NULL, act_bring_along, check_bring_along },
    { "a run of a policy", before_run, act_run, check_run },
    { "snapshot.hold", NULL, act_hold, check_hold },
    { "snapshot.release", before_held, act_release, check_release },
};

TEST(policies_on_btrfs_are_whole_or_absent_wherever_the_process_dies)
{
    CHECK(sweep("btrfs", FAULT_CRASH, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(policies_on_xfs_are_whole_or_absent_whichever_call_fails)
{
    CHECK(sweep("xfs", -EIO, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}
