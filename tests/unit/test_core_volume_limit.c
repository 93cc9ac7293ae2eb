/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of volumes: on btrfs for real, refused where nothing can enforce them. */
#include <errno.h>
#include <fcntl.h>

#include "base/sys.h"
#include "base/uuid.h"
#include "core/reconcile/reconcile.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_limit.h"
#include "lib/storage.h"

#define MIB ((int64_t)1 << 20)

static int make(struct storage *s, const char *name, const char *from, const char *size,
                struct volume *volume)
{
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    enum cost cost;
    bool is_new = false;

    spec.name = name;
    spec.from_volume = from;
    if (size != NULL)
        pairs_set(&spec.options, s->task.mem, "size", size);
    return volume_create(&s->task, &spec, volume, &is_new, &cost, &s->err);
}

/* Writes until it is refused; the bytes that were taken. */
static int64_t fill(struct storage *s, const char *name, int64_t at_most, int *rc)
{
    static char block[65536];
    char file[UUID_SIZE];
    struct volume volume;
    int64_t written = 0;

    uuid_make(file);
    CHECK_OK(volume_get(&s->task, name, &volume, &s->err), &s->err);
    cleanup_fd int dirfd = volume_open(&s->task, &volume, &s->err);
    cleanup_fd int fd = sys_openat(dirfd, file, O_WRONLY | O_CREAT, 0600);
    *rc = fd < 0 ? fd : 0;
    while (*rc == 0 && written < at_most) {
        arc4random_buf(block, sizeof(block));
        *rc = sys_write_all(fd, block, sizeof(block));
        written += *rc == 0 ? (int64_t)sizeof(block) : 0;
    }
    if (fd >= 0)
        (void)fsync(fd);
    return written;
}

static int64_t kept_limit(struct storage *s, const char *name)
{
    const struct driver_pool *pool = NULL;
    struct driver_limit limit = { 0 };
    struct volume volume;

    CHECK_OK(volume_get(&s->task, name, &volume, &s->err), &s->err);
    CHECK_OK(pool_open(&s->task, volume.pool_id, &pool, &s->err), &s->err);
    cleanup_fd int fd = volume_data_open(pool, &volume, &s->err);
    CHECK_OK(pool->driver->get_limit(pool, fd, &limit, &s->err), &s->err);
    return limit.size_bytes;
}

static int count_findings(struct storage *s, bool is_repair)
{
    struct findings findings = { 0 };

    CHECK_OK(reconcile(&s->task, is_repair, &findings, &s->err), &s->err);
    return (int)findings.count;
}

TEST(a_limit_stops_writers_and_follows_the_volume_through_everything)
{
    cleanup_storage struct storage s = { 0 };
    const struct snapshot_spec cut = { .name = "s1" };
    struct snapshot snapshot;
    struct volume volume;
    int rc = 0;

    if (!storage_enter(&s, "btrfs"))
        return;
    CHECK_OK(make(&s, "data", NULL, "8M", &volume), &s.err);
    CHECK(fill(&s, "data", 4 * MIB, &rc) == 4 * MIB && rc == 0);
    CHECK_OK(snapshot_create(&s.task, "data", &cut, &snapshot, &s.err), &s.err);
    CHECK(fill(&s, "data", 20 * MIB, &rc) < 4 * MIB);
    CHECK_INT(rc, -EDQUOT);
    CHECK_OK(make(&s, "twin", "data", NULL, &volume), &s.err);
    CHECK_INT(kept_limit(&s, "twin"), 8 * MIB);
    (void)fill(&s, "twin", 20 * MIB, &rc);
    CHECK_INT(rc, -EDQUOT);
    CHECK_OK(snapshot_rollback(&s.task, "data", "s1", false, &snapshot, &s.err), &s.err);
    CHECK_INT(kept_limit(&s, "data"), 8 * MIB);
    CHECK(fill(&s, "data", 20 * MIB, &rc) > 3 * MIB);
    CHECK_INT(rc, -EDQUOT);
    CHECK_INT(count_findings(&s, false), 0);
}

TEST(a_copy_may_be_given_another_limit_but_none_that_it_breaks)
{
    cleanup_storage struct storage s = { 0 };
    struct volume volume;
    int rc = 0;

    if (!storage_enter(&s, "btrfs"))
        return;
    CHECK_OK(make(&s, "data", NULL, "8M", &volume), &s.err);
    CHECK(fill(&s, "data", 4 * MIB, &rc) == 4 * MIB);
    CHECK_FAILS(make(&s, "small", "data", "2M", &volume), &s.err, ERR_NO_SPACE);
    CHECK(strstr(s.err.message, "volume 'small' is limited to 2M") != NULL);
    CHECK_FAILS(volume_get(&s.task, "small", &volume, &s.err), &s.err, ERR_NOT_FOUND);
    CHECK_OK(make(&s, "free", "data", "none", &volume), &s.err);
    CHECK_INT(kept_limit(&s, "free"), 0);
    CHECK(fill(&s, "free", 10 * MIB, &rc) == 10 * MIB);
    CHECK_INT(count_findings(&s, false), 0);
}

TEST(a_volume_grows_and_shrinks_while_it_is_in_use_but_not_below_what_it_takes)
{
    cleanup_storage struct storage s = { 0 };
    struct volume volume;
    int rc = 0;

    if (!storage_enter(&s, "btrfs"))
        return;
    CHECK_OK(make(&s, "data", NULL, NULL, &volume), &s.err);
    CHECK(fill(&s, "data", 4 * MIB, &rc) == 4 * MIB);
    CHECK_OK(volume_resize(&s.task, "data", "6M", NULL, &s.err), &s.err);
    CHECK(fill(&s, "data", 20 * MIB, &rc) < 2 * MIB);
    CHECK_INT(rc, -EDQUOT);
    CHECK_FAILS(volume_resize(&s.task, "data", "3M", NULL, &s.err), &s.err, ERR_CONFLICT);
    CHECK(strstr(s.err.message, "volume 'data' takes") != NULL);
    CHECK_INT(kept_limit(&s, "data"), 6 * MIB);
    CHECK_OK(volume_resize(&s.task, "data", "12M", NULL, &s.err), &s.err);
    CHECK(fill(&s, "data", 4 * MIB, &rc) == 4 * MIB);
    CHECK_OK(volume_get(&s.task, "data", &volume, &s.err), &s.err);
    CHECK_STR(pairs_get(&volume.options, "size"), "12M");
    CHECK_OK(volume_resize(&s.task, "data", "none", NULL, &s.err), &s.err);
    CHECK(fill(&s, "data", 10 * MIB, &rc) == 10 * MIB);
    CHECK_FAILS(volume_resize(&s.task, "data", "1k", NULL, &s.err), &s.err, ERR_INVALID);
    CHECK_FAILS(volume_resize(&s.task, "data", NULL, "10", &s.err), &s.err, ERR_UNSUPPORTED);
}

TEST(what_cannot_be_enforced_is_refused_and_nothing_is_made)
{
    static const char *const filesystems[] = { "ext4", "xfs", "tmpfs" };

    for (size_t i = 0; i < ARRAY_SIZE(filesystems); i++) {
        struct storage s = { 0 };
        struct volume volume;
        if (!storage_enter(&s, filesystems[i]))
            continue;
        CHECK_FAILS(make(&s, "data", NULL, "8M", &volume), &s.err, ERR_UNSUPPORTED);
        CHECK(strstr(s.err.message, "volctl pool create NAME --driver btrfs") != NULL);
        CHECK_FAILS(volume_get(&s.task, "data", &volume, &s.err), &s.err, ERR_NOT_FOUND);
        CHECK_OK(make(&s, "data", NULL, NULL, &volume), &s.err);
        CHECK_FAILS(volume_resize(&s.task, "data", "8M", NULL, &s.err), &s.err, ERR_UNSUPPORTED);
        CHECK_INT(count_findings(&s, false), 0);
        storage_close(&s);
    }
}

TEST(a_seed_that_does_not_fit_leaves_the_volume_empty)
{
    cleanup_storage struct storage s = { 0 };
    struct volume volume;
    struct usage usage;

    if (!storage_enter(&s, "btrfs"))
        return;
    WORLD_RUN("mkdir " WORLD "/image && head -c 4M /dev/urandom > " WORLD "/image/large");
    CHECK_OK(make(&s, "data", NULL, "1M", &volume), &s.err);
    cleanup_fd int source = sys_openat(AT_FDCWD, WORLD "/image", O_RDONLY | O_DIRECTORY, 0);
    CHECK_FAILS(volume_seed(&s.task, &volume, source, "image", "/x", &s.err), &s.err, ERR_NO_SPACE);
    CHECK_OK(volume_get(&s.task, "data", &volume, &s.err), &s.err);
    CHECK(!volume.is_seeded);
    CHECK_OK(volume_usage(&s.task, &volume, &usage, &s.err), &s.err);
    CHECK_INT(usage.files, 0);
    CHECK_OK(volume_resize(&s.task, "data", "8M", NULL, &s.err), &s.err);
    CHECK_OK(volume_seed(&s.task, &volume, source, "image", "/x", &s.err), &s.err);
    CHECK_INT(kept_limit(&s, "data"), 8 * MIB);
    CHECK_INT(count_findings(&s, false), 0);
}

/* What a container with a shell can do: unprivileged, and outside the volume's own group. */
TEST(subvolumes_made_inside_a_limited_volume_count_for_it)
{
    cleanup_storage struct storage s = { 0 };
    const struct driver_pool *pool = NULL;
    struct driver_usage usage;
    struct volume volume;
    int rc = 0;

    if (!storage_enter(&s, "btrfs"))
        return;
    CHECK_OK(make(&s, "data", NULL, "8M", &volume), &s.err);
    WORLD_RUN("btrfs -q subvolume create %s/a && btrfs -q subvolume create %s/a/b",
              volume_path(&s.task, &volume), volume_path(&s.task, &volume));
    CHECK_OK(pool_open(&s.task, volume.pool_id, &pool, &s.err), &s.err);
    CHECK_OK(pool->driver->tend(pool, &s.err), &s.err);
    CHECK_OK(pool->driver->tend(pool, &s.err), &s.err); /* nothing is left to do */
    WORLD_RUN("! head -c 20M /dev/urandom > %s/a/b/f 2> /dev/null", volume_path(&s.task, &volume));
    cleanup_fd int fd = volume_data_open(pool, &volume, &s.err);
    CHECK_OK(pool->driver->usage(pool, fd, true, &usage, &s.err), &s.err);
    CHECK(usage.referenced_bytes > 7 * MIB && usage.referenced_bytes <= 8 * MIB);
    CHECK(fill(&s, "data", 4 * MIB, &rc) < MIB);
    CHECK_INT(rc, -EDQUOT);
}

TEST(a_limit_that_got_lost_is_found_and_set_again)
{
    cleanup_storage struct storage s = { 0 };
    struct volume volume;

    if (!storage_enter(&s, "btrfs"))
        return;
    CHECK_OK(make(&s, "data", NULL, "8M", &volume), &s.err);
    WORLD_RUN("btrfs qgroup limit none %s", volume_path(&s.task, &volume));
    CHECK_INT(count_findings(&s, false), 1);
    CHECK_INT(count_findings(&s, true), 1);
    CHECK_INT(kept_limit(&s, "data"), 8 * MIB);
    CHECK_INT(count_findings(&s, false), 0);
}

TEST(groups_of_subvolumes_that_are_gone_are_removed)
{
    cleanup_storage struct storage s = { 0 };
    const struct driver_pool *pool = NULL;
    struct volume volume;

    if (!storage_enter(&s, "btrfs"))
        return;
    CHECK_OK(make(&s, "data", NULL, "8M", &volume), &s.err);
    WORLD_RUN("btrfs -q subvolume create %s/a", volume_path(&s.task, &volume));
    CHECK_OK(pool_open(&s.task, volume.pool_id, &pool, &s.err), &s.err);
    CHECK_OK(pool->driver->tend(pool, &s.err), &s.err);
    WORLD_RUN("btrfs qgroup show " WORLD_DIR " | grep -q '^1000/'");
    WORLD_RUN("btrfs inspect-internal rootid %s > " WORLD "/id", volume_path(&s.task, &volume));
    CHECK_OK(volume_remove(&s.task, "data", &(struct volume_remove_spec){ 0 }, &s.err), &s.err);
    CHECK_OK(pool->driver->settle(pool, INT64_MAX, &s.err), &s.err);
    CHECK_OK(pool->driver->tend(pool, &s.err), &s.err);
    CHECK_OK(pool->driver->tend(pool, &s.err), &s.err);
    WORLD_RUN("! btrfs qgroup show " WORLD_DIR " | grep -E \"^(0|1000)/$(cat " WORLD "/id) \"");
}
