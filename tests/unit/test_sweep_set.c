/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The failure space of the verbs on sets: all members or none, on disk and in the rows, wherever
 * the process dies and whichever call fails.  Volume "data" holds "two" ("one" in s1), "other" too.
 */
#include <errno.h>

#include "core/snapshot/hook.h"
#include "core/snapshot/set.h"
#include "lib/sweep.h"

static const char *const volumes[] = { "data", "other", NULL };

static int cut_in_hooks(struct task *task, void *context, struct error *err);

static int cut(struct storage *s)
{
    const struct set_spec spec = { .name = "set", .volumes = volumes };
    struct snapshot_set set;

    return set_create(&s->task, &spec, &set, &s->err);
}

static void write_both(struct storage *s, const char *text)
{
    struct volume volume;

    for (size_t i = 0; i < 2; i++) {
        CHECK_OK(volume_get(&s->task, volumes[i], &volume, &s->err), &s->err);
        WORLD_RUN("printf %s > %s/f", text, volume_path(&s->task, &volume));
    }
}

static void check_both(struct storage *s, const char *text)
{
    storage_check_text(s, "data", text);
    storage_check_text(s, "other", text);
}

/* Whether there is such a set; then it is whole and holds 'text'. */
static bool has_set(struct storage *s, const char *name, const char *text)
{
    struct snapshot_set set;

    if (set_get(&s->task, name, &set, &s->err) < 0)
        return false;
    CHECK(set.member_count == 2 && set.size == 2);
    for (size_t i = 0; i < 2; i++)
        WORLD_RUN("test \"$(cat " STATE "/pools/default/snapshots/%s/f)\" = %s", set.members[i].id,
                  text);
    return true;
}

static int snapshot_count(struct storage *s)
{
    struct snapshot *list = NULL;

    return snapshot_list(&s->task, NULL, &list, &s->err);
}

static void before_cut(struct storage *s)
{
    (void)storage_volume(s, "other", "two");
}

static void check_cut(struct storage *s, bool is_whole)
{
    bool is_there = has_set(s, "set", "two");

    CHECK(is_there || !is_whole);
    CHECK_INT(snapshot_count(s), is_there ? 3 : 1);
    check_both(s, "two");
}

/* The container is gone, so its hook after fails: it must be tried, and hold nothing up. */
static int act_hooked(struct storage *s)
{
    struct hook hook = { .container = "gone", .name = "gone", .after = "true" };
    struct hook_plan plan = { .items = &hook, .count = 1, .timeout_ms = 1000 };

    return hook_around(&s->task, &plan, cut_in_hooks, s, &s->err);
}

static int cut_in_hooks(struct task *task, void *context, struct error *err)
{
    struct storage *s = context;

    (void)task;
    int rc = cut(s);
    if (rc < 0)
        *err = s->err;
    return rc;
}

static void check_hooked(struct storage *s, bool is_whole)
{
    struct operation *list = NULL;

    CHECK_INT(operation_list(&s->task, true, 10, &list, &s->err), 0);
    check_cut(s, is_whole);
}

static void before_other(struct storage *s)
{
    before_cut(s);
    CHECK_OK(cut(s), &s->err);
    write_both(s, "three");
}

static int act_rollback(struct storage *s)
{
    struct snapshot_set safety;

    return set_rollback(&s->task, "set", false, &safety, &s->err);
}

static void check_rollback(struct storage *s, bool is_whole)
{
    struct snapshot_set *list = NULL;
    int count = set_list(&s->task, &list, &s->err);

    CHECK(has_set(s, "set", "two"));
    if (count == 1) {
        CHECK(!is_whole);
        check_both(s, "three");
        return;
    }
    CHECK_INT(count, 2);
    CHECK_STR(list[1].reason, "safety");
    CHECK(has_set(s, list[1].name, "three"));
    check_both(s, "two");
}

static int act_clone(struct storage *s)
{
    const struct set_clone_spec spec = { .prefix = "new-" };
    struct volume *made = NULL;

    return set_clone(&s->task, "set", &spec, &made, &s->err);
}

static void check_clone(struct storage *s, bool is_whole)
{
    bool is_there = sweep_has_volume(s, "new-data");

    CHECK(is_there || !is_whole);
    CHECK(sweep_has_volume(s, "new-other") == is_there);
    if (is_there) {
        storage_check_text(s, "new-data", "two");
        storage_check_text(s, "new-other", "two");
    }
    check_both(s, "three");
}

static int act_remove(struct storage *s)
{
    return set_remove(&s->task, "set", &(struct set_remove_spec){ .is_now = true }, &s->err);
}

static void check_remove(struct storage *s, bool is_whole)
{
    bool is_there = has_set(s, "set", "two");

    CHECK(!is_there || !is_whole);
    CHECK_INT(snapshot_count(s), is_there ? 3 : 1);
    check_both(s, "three");
}

static const struct scenario scenarios[] = {
    { "set.create", before_cut, cut, check_cut },
    { "snapshot.hooks", before_cut, act_hooked, check_hooked },
    { "set.rollback", before_other, act_rollback, check_rollback },
    { "set.clone", before_other, act_clone, check_clone },
    { "set.remove", before_other, act_remove, check_remove },
};

TEST(sets_on_btrfs_are_whole_or_absent_wherever_the_process_dies)
{
    CHECK(sweep("btrfs", FAULT_CRASH, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(sets_on_btrfs_are_whole_or_absent_whichever_call_fails)
{
    CHECK(sweep("btrfs", -EIO, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(sets_on_xfs_are_whole_or_absent_wherever_the_process_dies)
{
    CHECK(sweep("xfs", FAULT_CRASH, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(sets_on_xfs_are_whole_or_absent_whichever_call_fails)
{
    CHECK(sweep("xfs", -EIO, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}
