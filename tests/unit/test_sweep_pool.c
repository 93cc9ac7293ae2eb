/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The failure space of pools with disks of their own: making, removing, growing, shrinking and
 * adopting one, with the first, then the second, … system call that changes something failing, or
 * the process dying in its place.  Afterwards pool, mount, loop device and image are all there or
 * all gone.
 */
#include <errno.h>

#include "core/pool/pool_adopt.h"
#include "core/pool/pool_disk.h"
#include "core/pool/pool_mirror.h"
#include "lib/sweep.h"

#define MIB        ((int64_t)1 << 20)
#define SIZE       (272 * MIB) /* btrfs resizes nothing below 256 MiB */
#define SIZE_GROWN (288 * MIB)
#define PATH       STATE "/pools/other"

static int make(struct storage *s)
{
    const struct pool_disk_spec spec = {
        .name = "other",
        .filesystem = "btrfs",
        .size_bytes = SIZE,
        .max_bytes = SIZE,
    };
    struct pool pool;
    int rc = pool_disk_create(&s->task, &spec, &pool, &s->err);

    /* An image that was thrown away takes its space until the kernel lets its device go. */
    for (int i = 0; rc < 0 && s->err.code == ERR_NO_SPACE && i < 100; i++) {
        (void)usleep(100000);
        rc = pool_disk_create(&s->task, &spec, &pool, &s->err);
    }
    return rc;
}

static bool has_pool(struct storage *s)
{
    struct pool pool;

    return pool_get(&s->task, "other", &pool, &s->err) == 0;
}

/* A volume, a snapshot, and a copy of the rows in the pool; then the database is lost. */
static void lose_database(struct storage *s)
{
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    const struct snapshot_spec first = { .name = "first" };
    struct snapshot snapshot;
    struct volume volume;
    enum cost cost;
    bool is_new;

    spec.name = "kept";
    spec.pool = "other";
    CHECK_OK(volume_create(&s->task, &spec, &volume, &is_new, &cost, &s->err), &s->err);
    WORLD_RUN("echo kept > %s/f", volume_path(&s->task, &volume));
    CHECK_OK(snapshot_create(&s->task, "kept", &first, &snapshot, &s->err), &s->err);
    CHECK_OK(pool_mirror_flush(&s->task, &s->err), &s->err);
    WORLD_RUN("btrfs -q subvolume snapshot -r %s " PATH
              "/snapshots/11111111-2222-4333-8444-555555555555",
              volume_path(&s->task, &volume));
    storage_close(s);
    WORLD_RUN("rm " STATE "/volumed.db*; mv " STATE "/disks/* " WORLD_DIR
              "/lost.img; umount " PATH);
    ck_assert_msg(storage_open(s), "%s", s->err.message);
}

static int act_adopt(struct storage *s)
{
    const struct pool_adopt_spec spec = { .image = WORLD_DIR "/lost.img" };
    cleanup_found struct found found = { 0 };

    return pool_adopt(&s->task, &spec, &found, &s->err);
}

static void check_adopt(struct storage *s, bool is_whole)
{
    struct snapshot snapshot;
    struct volume volume;

    if (!has_pool(s)) {
        CHECK(!is_whole);
        CHECK(volume_get(&s->task, "kept", &volume, &s->err) < 0);
        WORLD_RUN("! mountpoint -q " PATH);
        CHECK_OK(act_adopt(s), &s->err);
    }
    CHECK_OK(volume_get(&s->task, "kept", &volume, &s->err), &s->err);
    WORLD_RUN("test \"$(cat %s/f)\" = kept", volume_path(&s->task, &volume));
    CHECK_OK(snapshot_get(&s->task, "kept", "first", &snapshot, &s->err), &s->err);
    WORLD_RUN("test \"$(cat " PATH "/snapshots/%s/f)\" = kept", snapshot.id);
    CHECK_OK(volume_get(&s->task, "found-11111111-2222", &volume, &s->err), &s->err);
    WORLD_RUN("test \"$(cat %s/f)\" = kept", volume_path(&s->task, &volume));
}

/* All of it, or nothing of it. */
static void check_all_or_nothing(struct storage *s, bool is_there)
{
    struct pool pool;
    const struct driver_pool *open = NULL;

    CHECK(has_pool(s) == is_there);
    if (!is_there) {
        WORLD_RUN("! mountpoint -q " PATH);
        WORLD_RUN("test ! -e " PATH);
        WORLD_RUN("test -z \"$(ls -A " STATE "/disks 2> /dev/null)\"");
        /* The kernel lets a device go a little after its last user. */
        WORLD_RUN("for i in $(seq 50); do losetup -l -n -O BACK-FILE | grep -q " STATE
                  " || exit 0; sleep 0.1; done; losetup -l; exit 1");
        return;
    }
    CHECK_OK(pool_get(&s->task, "other", &pool, &s->err), &s->err);
    CHECK_OK(pool_open(&s->task, pool.id, &open, &s->err), &s->err);
    WORLD_RUN("mountpoint -q " PATH " && test -e " PATH "/pool.json"
              " && test \"$(ls " STATE "/disks)\" = %s",
              pool.id);
}

static void check_create(struct storage *s, bool is_whole)
{
    bool is_there = has_pool(s);

    CHECK(is_there || !is_whole);
    check_all_or_nothing(s, is_there);
    if (!is_there)
        CHECK_OK(make(s), &s->err); /* what was left is no obstacle */
}

static int act_remove(struct storage *s)
{
    return pool_remove(&s->task, "other", &s->err);
}

static void check_remove(struct storage *s, bool is_whole)
{
    bool is_there = has_pool(s);

    CHECK(!is_there || !is_whole);
    check_all_or_nothing(s, is_there);
    if (is_there)
        CHECK_OK(act_remove(s), &s->err);
}

static int act_grow(struct storage *s)
{
    return pool_disk_resize(&s->task, "other", SIZE_GROWN, &s->err);
}

static int act_shrink(struct storage *s)
{
    return pool_disk_resize(&s->task, "other", SIZE - 8 * MIB, &s->err);
}

/* Row, image and filesystem agree, though an image may be longer for a while. */
static void check_size(struct storage *s, int64_t wanted, bool is_whole)
{
    struct pool_disk disk;
    struct pool pool;
    struct pool_space space;

    check_all_or_nothing(s, true);
    CHECK_OK(pool_get(&s->task, "other", &pool, &s->err), &s->err);
    CHECK(pool_disk_find(&s->task, pool.id, &disk, &s->err) == 1);
    CHECK(disk.size_bytes == wanted || (!is_whole && disk.size_bytes == SIZE));
    CHECK_OK(pool_space(&s->task, pool.id, &space, &s->err), &s->err);
    CHECK(space.size_bytes == disk.size_bytes ||
          (!is_whole && space.size_bytes == wanted && wanted > SIZE));
    WORLD_RUN("test $(stat -c %%s %s) -ge %lld", disk.path, (long long)space.size_bytes);
    CHECK_OK(pool_disk_resize(&s->task, "other", SIZE_GROWN, &s->err), &s->err);
}

static void check_grow(struct storage *s, bool is_whole)
{
    check_size(s, SIZE_GROWN, is_whole);
}

static void check_shrink(struct storage *s, bool is_whole)
{
    check_size(s, SIZE - 8 * MIB, is_whole);
}

static void before_any(struct storage *s)
{
    CHECK_OK(make(s), &s->err);
}

static void before_adopt(struct storage *s)
{
    before_any(s);
    lose_database(s);
}

static const struct scenario scenarios[] = {
    { "pool.create with a disk", NULL, make, check_create },
    { "pool.remove with a disk", before_any, act_remove, check_remove },
    { "pool.resize, up", before_any, act_grow, check_grow },
    { "pool.resize, down", before_any, act_shrink, check_shrink },
    { "pool.adopt", before_adopt, act_adopt, check_adopt },
};

static void set_up(struct storage *s, const struct scenario *scenario)
{
    WORLD_RUN("if mountpoint -q " PATH "; then umount " PATH "; fi; rm -rf " WORLD_DIR "/*");
    ck_assert_msg(storage_open(s), "%s", s->err.message);
    if (scenario->before != NULL)
        scenario->before(s);
    storage_close(s);
}

static void sweep_pools(int rc)
{
    if (world_enter("xfs") && world_has("mkfs.btrfs"))
        CHECK(sweep_rounds("disks", rc, scenarios, ARRAY_SIZE(scenarios), set_up) > 20);
}

TEST(a_disk_is_whole_or_absent_wherever_the_process_dies)
{
    sweep_pools(FAULT_CRASH);
}

TEST(a_disk_is_whole_or_absent_whichever_call_fails)
{
    sweep_pools(-EIO);
}
