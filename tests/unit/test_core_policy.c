/* SPDX-License-Identifier: Apache-2.0 */
/* Policies and holds, on real filesystems and a real database. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/operation/event.h"
#include "core/pool/space_reliefs.h"
#include "core/snapshot/policy.h"
#include "core/snapshot/snapshot_hold.h"
#include "core/volume/trash.h"
#include "lib/storage.h"
#include "store/policy.h"

static struct policy make(struct storage *s, const char *name, const char *volume,
                          const char *label, const char *keep)
{
    const struct policy_spec spec = {
        .name = name, .schedule = "1h", .keep = keep, .volume = volume, .label = label
    };
    struct policy policy;

    CHECK_OK(policy_create(&s->task, &spec, &policy, &s->err), &s->err);
    return policy;
}

static struct policy_result run(struct storage *s, const char *name)
{
    struct policy_result result;

    CHECK_OK(policy_run(&s->task, name, &result, &s->err), &s->err);
    return result;
}

static int snapshot_count(struct storage *s, const char *volume)
{
    struct snapshot *list = NULL;

    return snapshot_list(&s->task, volume, &list, &s->err);
}

/* As if its time had come: due 'ago_ms' before now. */
static void make_due(struct storage *s, const char *name, int64_t ago_ms)
{
    struct policy policy;

    CHECK_OK(policy_get(&s->task, name, &policy, &s->err), &s->err);
    policy.due_ms = policy.next_ms = clock_now_ms() - ago_ms;
    CHECK_OK(store_policy_set_run(s->task.db, &policy, &s->err), &s->err);
}

static void set_label(struct storage *s, const char *volume, const char *key, const char *value)
{
    struct pair pair = { key, value };

    CHECK_OK(volume_label(&s->task, volume, &(struct pairs){ 1, &pair }, NULL, &s->err), &s->err);
}

static void wait_a_second(void)
{
    WORLD_RUN("sleep 1.01"); /* snapshots are named by the second */
}

TEST(policy_cuts_and_keeps_what_its_rules_say)
{
    cleanup_storage struct storage s = { 0 };
    struct policy_verdicts *plan = NULL;
    struct policy policy;

    if (!storage_enter(&s, "btrfs"))
        return;
    s.service.trash_ttl_ms = 3600000; /* what expires does not go there */
    (void)storage_volume(&s, "data", "one");
    const struct snapshot_spec by_hand = { .name = "mine" };
    struct snapshot mine;
    CHECK_OK(snapshot_create(&s.task, "data", &by_hand, &mine, &s.err), &s.err);
    policy = make(&s, "short", "data", NULL, "last=1");
    CHECK_STR(policy.target, "data");
    CHECK(policy.next_ms > clock_now_ms() && policy.next_ms % 3600000 == 0);
    CHECK_INT(run(&s, "short").made, 1);
    wait_a_second();
    struct policy_result second = run(&s, "short");
    CHECK_INT(second.made, 1);
    CHECK_INT(second.expired, 1);
    CHECK_INT(snapshot_count(&s, "data"), 2); /* one of the policy's, and mine */
    CHECK_INT(policy_plan(&s.task, "short", &plan, &s.err), 1);
    CHECK_INT(plan[0].count, 1);
    CHECK(plan[0].items[0].verdict.is_kept);
    struct trash_entry *trash = NULL;
    CHECK_INT(trash_list(&s.task, NULL, &trash, &s.err), 0);
    CHECK_OK(policy_get(&s.task, "short", &policy, &s.err), &s.err);
    CHECK(policy.last_ms > 0);
}

TEST(policy_by_label_is_for_whoever_has_it_now)
{
    cleanup_storage struct storage s = { 0 };

    if (!storage_enter(&s, "tmpfs"))
        return;
    (void)storage_volume(&s, "one", "1");
    (void)storage_volume(&s, "two", "2");
    (void)storage_volume(&s, "three", "3");
    set_label(&s, "one", "app", "x");
    set_label(&s, "two", "app", "y");
    (void)make(&s, "exact", NULL, "app=x", "24h");
    (void)make(&s, "any", NULL, "app", "24h");
    (void)make(&s, "none", NULL, "ap", "24h");
    CHECK_INT(run(&s, "exact").made, 1);
    CHECK_INT(run(&s, "any").made, 2);
    CHECK_INT(run(&s, "none").made, 0);
    set_label(&s, "three", "app", "x");
    wait_a_second();
    CHECK_INT(run(&s, "exact").made, 2);
    CHECK_INT(snapshot_count(&s, "two"), 1);
}

TEST(policy_runs_once_for_all_that_it_missed)
{
    cleanup_storage struct storage s = { 0 };
    struct policy policy;
    int64_t next_ms = 0;

    if (!storage_enter(&s, "tmpfs"))
        return;
    (void)storage_volume(&s, "data", "one");
    (void)make(&s, "hourly", "data", NULL, "24h");
    CHECK_OK(policy_run_due(&s.task, &s.err), &s.err);
    CHECK_INT(snapshot_count(&s, "data"), 0);
    make_due(&s, "hourly", 5 * INT64_C(3600000));
    CHECK_OK(policy_next_due(&s.task, &next_ms, &s.err), &s.err);
    CHECK(next_ms < clock_now_ms());
    CHECK_OK(policy_run_due(&s.task, &s.err), &s.err);
    CHECK_INT(snapshot_count(&s, "data"), 1);
    CHECK_OK(policy_get(&s.task, "hourly", &policy, &s.err), &s.err);
    CHECK(policy.next_ms > clock_now_ms());
    CHECK_OK(policy_run_due(&s.task, &s.err), &s.err);
    CHECK_INT(snapshot_count(&s, "data"), 1);
}

TEST(policy_that_failed_is_tried_again_later_and_later_and_makes_none_twice)
{
    cleanup_storage struct storage s = { 0 };
    struct policy policy;
    struct event *events = NULL;

    if (!storage_enter(&s, "tmpfs"))
        return;
    struct volume good = storage_volume(&s, "good", "one");
    struct volume bad = storage_volume(&s, "other", "two");
    set_label(&s, good.name, "cut", "");
    set_label(&s, bad.name, "cut", "");
    (void)make(&s, "both", NULL, "cut", "24h");
    const char *path = volume_path(&s.task, &bad);
    WORLD_RUN("mv %s " WORLD "/away", path);
    make_due(&s, "both", 0);
    for (int failures = 1; failures <= 3; failures++) {
        int64_t before_ms = clock_now_ms();
        CHECK_OK(policy_run_due(&s.task, &s.err), &s.err);
        CHECK_OK(policy_get(&s.task, "both", &policy, &s.err), &s.err);
        CHECK_INT(policy.failures, failures);
        CHECK(strstr(policy.error, "other") != NULL);
        CHECK(policy.next_ms >= before_ms + (INT64_C(30000) << (failures - 1)));
        CHECK_INT(snapshot_count(&s, "good"), 1);
        policy.next_ms = clock_now_ms();
        CHECK_OK(store_policy_set_run(s.task.db, &policy, &s.err), &s.err);
    }
    int count = event_list(&s.task, 0, 100, &events, &s.err);
    CHECK_STR(events[count - 1].type, "policy");
    CHECK_STR(events[count - 1].action, "fail");
    WORLD_RUN("mv " WORLD "/away %s", path);
    CHECK_OK(policy_run_due(&s.task, &s.err), &s.err);
    CHECK_OK(policy_get(&s.task, "both", &policy, &s.err), &s.err);
    CHECK_INT(policy.failures, 0);
    CHECK_STR(policy.error, "");
    CHECK_INT(snapshot_count(&s, "other"), 1);
    CHECK_INT(snapshot_count(&s, "good"), 1);
}

TEST(policy_comes_with_a_volume_s_options_and_sleeps_with_it_in_the_trash)
{
    cleanup_storage struct storage s = { 0 };
    struct pair options[] = { { "snapshots", "30 2 * * *" }, { "keep", "7d" } };
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct trash_entry entry;
    struct policy *list = NULL;
    struct policy policy;
    struct volume volume;
    int64_t due_ms = 0;
    enum cost cost;
    bool is_new;

    if (!storage_enter(&s, "tmpfs"))
        return;
    s.service.trash_ttl_ms = 3600000;
    spec.name = "data";
    spec.options = (struct pairs){ 2, options };
    CHECK_OK(volume_create(&s.task, &spec, &volume, &is_new, &cost, &s.err), &s.err);
    CHECK_OK(policy_get(&s.task, "volume.data", &policy, &s.err), &s.err);
    CHECK_STR(policy.volume_id, volume.id);
    CHECK_STR(policy.keep, "7d");
    CHECK_INT(run(&s, "volume.data").made, 1);

    /* Its snapshot is no reason for the volume to stay, since it goes along. */
    CHECK_OK(volume_remove(&s.task, "data", &(struct volume_remove_spec){ 0 }, &s.err), &s.err);
    CHECK_OK(policy_next_due(&s.task, &due_ms, &s.err), &s.err);
    CHECK_INT(due_ms, 0);
    struct policy_result result;
    CHECK_FAILS(policy_run(&s.task, "volume.data", &result, &s.err), &s.err, ERR_CONFLICT);

    /* Another of its name has a policy of its own, and both are there when it is back. */
    CHECK_OK(volume_create(&s.task, &spec, &volume, &is_new, &cost, &s.err), &s.err);
    CHECK_OK(trash_restore(&s.task, "data", "old", &entry, &s.err), &s.err);
    CHECK_INT(policy_list(&s.task, &list, &s.err), 2);
    CHECK_STR(list[0].target, "old");
    CHECK_INT(snapshot_count(&s, "old"), 1);
    CHECK_OK(volume_remove(&s.task, "old",
                           &(struct volume_remove_spec){ .is_now = true, .with_snapshots = true },
                           &s.err),
             &s.err);
    CHECK_INT(policy_list(&s.task, &list, &s.err), 1);
}

TEST(policy_gives_space_back_by_what_would_go_anyway)
{
    cleanup_storage struct storage s = { 0 };
    struct pool pool;

    if (!storage_enter(&s, "tmpfs"))
        return;
    (void)storage_volume(&s, "data", "one");
    (void)make(&s, "more", "data", NULL, "last=2");
    (void)run(&s, "more");
    wait_a_second();
    (void)run(&s, "more");
    CHECK_OK(pool_get(&s.task, "default", &pool, &s.err), &s.err);
    CHECK_INT(policy_relief.give(&s.task, &pool, &s.err), 0);
    CHECK_OK(policy_remove(&s.task, "more", &s.err), &s.err);
    CHECK_INT(policy_relief.give(&s.task, &pool, &s.err), 0); /* nobody's */
    (void)make(&s, "more", "data", NULL, "last=1");
    CHECK_INT(policy_relief.give(&s.task, &pool, &s.err), 1);
    CHECK_INT(policy_relief.give(&s.task, &pool, &s.err), 0);
    CHECK_INT(snapshot_count(&s, "data"), 1);
}

TEST(policy_jitter_is_the_same_each_time)
{
    cleanup_storage struct storage s = { 0 };
    const struct policy_spec spec = {
        .name = "late", .schedule = "daily", .label = "a", .jitter_ms = INT64_C(3600000)
    };
    struct policy policy;
    struct policy again;

    (void)setenv("TZ", "UTC", 1); /* where no day is longer than another */
    if (!storage_enter(&s, "tmpfs"))
        return;
    CHECK_OK(policy_create(&s.task, &spec, &policy, &s.err), &s.err);
    again = policy;
    CHECK_OK(policy_set_due(&again, policy.due_ms, &s.err), &s.err);
    CHECK_INT(again.due_ms - policy.due_ms, INT64_C(86400000));
    CHECK_OK(policy_set_due(&again, policy.due_ms - 1, &s.err), &s.err);
    CHECK_INT(again.due_ms, policy.due_ms);
}

TEST(policy_refuses_what_makes_no_sense)
{
    static const struct policy_spec bad[] = {
        { .name = "pp", .schedule = "1h", .keep = "24h" },
        { .name = "pp", .schedule = "1h", .keep = "24h", .volume = "data", .label = "a" },
        { .name = "pp", .schedule = "soon", .keep = "24h", .volume = "data" },
        { .name = "pp", .schedule = "1h", .keep = "0h", .volume = "data" },
        { .name = "p/", .schedule = "1h", .keep = "24h", .volume = "data" },
        { .name = "pp", .schedule = "1h", .keep = "24h", .label = "=x" },
    };
    cleanup_storage struct storage s = { 0 };
    const struct policy_spec absent = { .name = "pp", .schedule = "1h", .volume = "none" };
    struct policy policy;

    if (!storage_enter(&s, "tmpfs"))
        return;
    (void)storage_volume(&s, "data", NULL);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CHECK_FAILS(policy_create(&s.task, &bad[i], &policy, &s.err), &s.err, ERR_INVALID);
    CHECK_FAILS(policy_create(&s.task, &absent, &policy, &s.err), &s.err, ERR_NOT_FOUND);
    (void)make(&s, "pp", "data", NULL, "24h");
    const struct policy_spec twice = { .name = "pp", .schedule = "1h", .volume = "data" };
    CHECK_FAILS(policy_create(&s.task, &twice, &policy, &s.err), &s.err, ERR_EXISTS);
    CHECK_OK(policy_remove(&s.task, "pp", &s.err), &s.err);
    CHECK_FAILS(policy_remove(&s.task, "pp", &s.err), &s.err, ERR_NOT_FOUND);
}

TEST(hold_stands_above_people_and_policies)
{
    cleanup_storage struct storage s = { 0 };
    const struct volume_remove_spec with_snapshots = { .with_snapshots = true };
    const struct snapshot_remove_spec plain = { 0 };
    struct policy_verdicts *plan = NULL;
    struct hold *holds = NULL;
    struct snapshot *list = NULL;

    if (!storage_enter(&s, "tmpfs"))
        return;
    s.service.trash_ttl_ms = 3600000;
    (void)storage_volume(&s, "data", "one");
    (void)make(&s, "short", "data", NULL, "last=1");
    (void)run(&s, "short");
    CHECK_INT(snapshot_list(&s.task, "data", &list, &s.err), 1);
    const char *held = list[0].name;
    CHECK_OK(snapshot_hold(&s.task, "data", held, "audit", "user", &s.err), &s.err);
    CHECK_FAILS(snapshot_hold(&s.task, "data", held, "audit", "user", &s.err), &s.err, ERR_EXISTS);
    CHECK_OK(snapshot_hold(&s.task, "data", held, "away", "base", &s.err), &s.err);
    wait_a_second();
    CHECK_INT(run(&s, "short").expired, 0);
    CHECK_INT(policy_plan(&s.task, "short", &plan, &s.err), 1);
    CHECK_STR(plan[0].items[0].verdict.reasons[0], "held");
    CHECK_FAILS(snapshot_remove(&s.task, "data", held, &plain, &s.err), &s.err, ERR_CONFLICT);
    CHECK_FAILS(volume_remove(&s.task, "data", &with_snapshots, &s.err), &s.err, ERR_CONFLICT);
    CHECK_INT(snapshot_hold_list(&s.task, "data", held, &holds, &s.err), 2);

    /* People take away what people made; what replication needs by its name alone. */
    CHECK_OK(snapshot_release(&s.task, "data", held, NULL, &s.err), &s.err);
    CHECK_FAILS(snapshot_release(&s.task, "data", held, NULL, &s.err), &s.err, ERR_NOT_FOUND);
    CHECK_FAILS(snapshot_remove(&s.task, "data", held, &plain, &s.err), &s.err, ERR_CONFLICT);
    CHECK_OK(snapshot_release(&s.task, "data", held, "away", &s.err), &s.err);
    wait_a_second();
    CHECK_INT(run(&s, "short").expired, 2);
}
