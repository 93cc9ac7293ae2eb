/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits wherever the process dies or a call fails: a volume that is there is held to what its row
 * says, or else reconcile would find 'lost-limit'.  On btrfs; project quota takes the same way
 * through core (quota_project.bats).
 */
#include <errno.h>
#include <fcntl.h>

#include "base/sys.h"
#include "core/volume/volume_limit.h"
#include "lib/sweep.h"

static const char *size_of(struct storage *s, const char *name)
{
    struct volume volume;

    CHECK_OK(volume_get(&s->task, name, &volume, &s->err), &s->err);
    const char *size = pairs_get(&volume.options, "size");
    return size != NULL ? size : "none";
}

static void limit_data(struct storage *s)
{
    CHECK_OK(volume_resize(&s->task, "data", "8M", NULL, &s->err), &s->err);
}

static int create(struct storage *s, const char *from, const char *size)
{
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume;
    enum cost cost;
    bool is_new;

    spec.name = "new";
    spec.from_volume = from;
    if (size != NULL)
        pairs_set(&spec.options, s->task.mem, "size", size);
    return volume_create(&s->task, &spec, &volume, &is_new, &cost, &s->err);
}

static int act_create(struct storage *s)
{
    return create(s, NULL, "4M");
}

static void check_create(struct storage *s, bool is_whole)
{
    CHECK(sweep_has_volume(s, "new") || !is_whole);
    if (sweep_has_volume(s, "new"))
        CHECK_STR(size_of(s, "new"), "4M");
}

static int act_clone(struct storage *s)
{
    return create(s, "data", NULL);
}

static void check_clone(struct storage *s, bool is_whole)
{
    CHECK(sweep_has_volume(s, "new") || !is_whole);
    if (!sweep_has_volume(s, "new"))
        return;
    CHECK_STR(size_of(s, "new"), "8M");
    storage_check_text(s, "new", "two");
}

static int act_grow(struct storage *s)
{
    return volume_resize(&s->task, "data", "20M", NULL, &s->err);
}

static void check_grow(struct storage *s, bool is_whole)
{
    const char *size = size_of(s, "data");

    CHECK(strcmp(size, "20M") == 0 || (strcmp(size, "8M") == 0 && !is_whole));
    storage_check_text(s, "data", "two");
}

static int act_lift(struct storage *s)
{
    return volume_resize(&s->task, "data", "none", NULL, &s->err);
}

/* That nothing holds it any more is not reconcile's to see. */
static void check_lift(struct storage *s, bool is_whole)
{
    const struct driver_pool *pool = NULL;
    struct driver_limit limit = { 0 };
    struct volume volume;
    bool is_lifted = strcmp(size_of(s, "data"), "none") == 0;

    CHECK(is_lifted || !is_whole);
    CHECK_OK(volume_get(&s->task, "data", &volume, &s->err), &s->err);
    CHECK_OK(pool_open(&s->task, volume.pool_id, &pool, &s->err), &s->err);
    cleanup_fd int fd = volume_open(&s->task, &volume, &s->err);
    CHECK_OK(pool->driver->get_limit(pool, fd, &limit, &s->err), &s->err);
    CHECK_INT(limit.size_bytes, is_lifted ? 0 : 8 << 20);
}

static int act_rollback(struct storage *s)
{
    struct snapshot safety;

    return snapshot_rollback(&s->task, "data", "s1", false, &safety, &s->err);
}

static void check_rollback(struct storage *s, bool is_whole)
{
    struct snapshot *list = NULL;
    int count = snapshot_list(&s->task, "data", &list, &s->err);

    CHECK(count == 2 || (count == 1 && !is_whole));
    storage_check_text(s, "data", count == 2 ? "one" : "two");
    CHECK_STR(size_of(s, "data"), "8M");
}

static void limit_empty(struct storage *s)
{
    CHECK_OK(volume_resize(&s->task, "empty", "8M", NULL, &s->err), &s->err);
}

static int act_seed(struct storage *s)
{
    cleanup_fd int source = sys_openat(AT_FDCWD, WORLD "/image", O_RDONLY | O_DIRECTORY, 0);
    struct volume volume;

    if (volume_get(&s->task, "empty", &volume, &s->err) < 0)
        return -1;
    return volume_seed(&s->task, &volume, source, "image", "/x", &s->err);
}

static void check_seed(struct storage *s, bool is_whole)
{
    struct volume volume;

    CHECK_OK(volume_get(&s->task, "empty", &volume, &s->err), &s->err);
    CHECK(volume.is_seeded || !is_whole);
    CHECK_STR(size_of(s, "empty"), "8M");
}

static const struct scenario scenarios[] = {
    { "volume.create with a limit", NULL, act_create, check_create },
    { "volume.create from a limited volume", limit_data, act_clone, check_clone },
    { "volume.resize", limit_data, act_grow, check_grow },
    { "volume.resize to none", limit_data, act_lift, check_lift },
    { "snapshot.rollback of a limited volume", limit_data, act_rollback, check_rollback },
    { "volume.seed of a limited volume", limit_empty, act_seed, check_seed },
};

TEST(limits_on_btrfs_are_whole_or_absent_wherever_the_process_dies)
{
    CHECK(sweep("btrfs", FAULT_CRASH, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(limits_on_btrfs_are_whole_or_absent_whichever_call_fails)
{
    CHECK(sweep("btrfs", -EDQUOT, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}

TEST(limits_on_btrfs_are_whole_or_absent_wherever_space_ends)
{
    CHECK(sweep("btrfs", -ENOSPC, scenarios, ARRAY_SIZE(scenarios)) >= 0);
}
