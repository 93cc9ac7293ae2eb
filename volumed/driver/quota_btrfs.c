/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Full qgroups: every subvolume has the group 0/<id>, which the kernel keeps, and which counts what
 * the subvolume refers to.  A limit stands there and is set anew on each new subvolume id.  What a
 * container makes below as subvolumes of its own is gathered under a second group by tend().
 *
 * The kernel writes counts when it commits: up to half a minute old, unless one asks for a commit.
 */
#include "driver/quota_btrfs.h"

#include <endian.h>
#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <time.h>

#include "base/clock.h"
#include "base/sys.h"
#include "driver/btrfs_tree.h"

#define FLAG_SIMPLE (1ULL << 3) /* simple quotas; newer than the header */
#define STEP_NS     20000000L

/* Newer than the header. */
struct subvolume_wait {
    uint64_t subvolid;
    uint32_t mode;
    uint32_t count;
};

#define WAIT_COUNT           2
#define IOC_SUBVOL_SYNC_WAIT _IOW(BTRFS_IOCTL_MAGIC, 65, struct subvolume_wait)

static int turn_on(const struct driver_pool *pool, struct error *err);
static int await_count(int fd, uint64_t flags);
static int read_info(int fd, uint64_t group, struct btrfs_qgroup_info_item *info);
static int commit(int fd);
static int removals_left(int fd, uint32_t *count);

int quota_btrfs_check(const struct driver_pool *pool, const struct driver_limit *limit,
                      struct error *err)
{
    uint64_t flags = 0;

    if (limit->inodes > 0)
        return fail(err, ERR_UNSUPPORTED,
                    "pool '%s' cannot limit inodes: btrfs does not count them; a pool on XFS or"
                    " ext4 with project quota can",
                    pool->name);
    int rc = quota_btrfs_flags(pool->fd, &flags);
    if (rc < 0)
        return fail_sys(err, rc, "cannot read the quotas of pool '%s'", pool->name);
    if ((flags & FLAG_SIMPLE) != 0)
        return fail(err, ERR_UNSUPPORTED,
                    "the filesystem of pool '%s' has simple quotas, which do not count what clones"
                    " share; turn them off with 'btrfs quota disable %s' first",
                    pool->name, pool->path);
    if ((flags & BTRFS_QGROUP_STATUS_FLAG_ON) == 0)
        return turn_on(pool, err);
    rc = await_count(pool->fd, flags);
    return rc < 0 ? fail_sys(err, rc, "cannot count what is in pool '%s'", pool->name) : 0;
}

int quota_btrfs_set(const struct driver_pool *pool, int fd, const struct driver_limit *limit,
                    struct error *err)
{
    struct driver_limit present = { 0 };
    uint64_t id = 0;

    if (quota_btrfs_get(pool, fd, &present, err) < 0)
        return -1;
    if (present.size_bytes == limit->size_bytes)
        return 0;
    int rc = btrfs_subvolume_id(fd, &id);
    if (rc >= 0)
        rc = quota_btrfs_limit_group(fd, id, limit->size_bytes);
    if (rc == -ENOENT) { /* a subvolume made while quotas were being turned on */
        rc = quota_btrfs_make_group(fd, id, true);
        if (rc >= 0 || rc == -EEXIST)
            rc = quota_btrfs_limit_group(fd, id, limit->size_bytes);
    }
    int has_gathering = rc < 0 ? rc : quota_btrfs_has_group(fd, QUOTA_BTRFS_GROUP(id));
    if (has_gathering > 0)
        has_gathering = quota_btrfs_limit_group(fd, QUOTA_BTRFS_GROUP(id), limit->size_bytes);
    rc = has_gathering < 0 ? has_gathering : commit(fd);
    return rc < 0 ? fail_sys(err, rc, "cannot set a limit in pool '%s'", pool->name) : 0;
}

int quota_btrfs_get(const struct driver_pool *pool, int fd, struct driver_limit *limit,
                    struct error *err)
{
    struct btrfs_qgroup_limit_item item = { 0 };
    uint64_t id = 0;
    int rc = btrfs_subvolume_id(fd, &id);

    if (rc >= 0)
        rc = btrfs_tree_get(fd,
                            &(struct btrfs_range){
                                .tree = BTRFS_QUOTA_TREE_OBJECTID,
                                .type = BTRFS_QGROUP_LIMIT_KEY,
                                .first_offset = id,
                            },
                            &item, sizeof(item));
    if (rc < 0 && rc != -ENOENT) /* which means that quotas are off */
        return fail_sys(err, rc, "cannot read a limit in pool '%s'", pool->name);
    *limit = (struct driver_limit){ 0 };
    if (rc > 0 && (le64toh(item.flags) & BTRFS_QGROUP_LIMIT_MAX_RFER) != 0)
        limit->size_bytes = (int64_t)le64toh(item.max_rfer);
    return 0;
}

int quota_btrfs_usage(const struct driver_pool *pool, int fd, bool is_fresh,
                      struct driver_usage *usage, struct error *err)
{
    struct btrfs_qgroup_info_item info;
    uint64_t flags = 0;
    uint64_t id = 0;
    int rc = is_fresh ? sys_ioctl(fd, BTRFS_IOC_SYNC, NULL) : 0;

    if (rc >= 0)
        rc = quota_btrfs_flags(fd, &flags);
    if (rc >= 0)
        rc = btrfs_subvolume_id(fd, &id);
    if (rc < 0)
        return fail_sys(err, rc, "cannot measure in pool '%s'", pool->name);
    if (flags != BTRFS_QGROUP_STATUS_FLAG_ON)
        return fail(err, ERR_UNSUPPORTED, "pool '%s' %s", pool->name,
                    flags == 0 ? "has no quotas" : "is being counted");
    rc = read_info(fd, QUOTA_BTRFS_GROUP(id), &info);
    if (rc == 0)
        rc = read_info(fd, id, &info);
    if (rc <= 0)
        return fail_sys(err, rc < 0 ? rc : -ENOENT, "cannot measure in pool '%s'", pool->name);
    *usage = (struct driver_usage){
        .referenced_bytes = (int64_t)le64toh(info.rfer),
        .exclusive_bytes = (int64_t)le64toh(info.excl),
        .inodes = -1,
    };
    return 0;
}

int quota_btrfs_version(int fd, bool is_fresh, int64_t *version, struct error *err)
{
    struct btrfs_ioctl_get_subvol_info_args info = { 0 };
    int rc = is_fresh ? sys_ioctl(fd, BTRFS_IOC_SYNC, NULL) : 0;

    if (rc >= 0 && ioctl(fd, BTRFS_IOC_GET_SUBVOL_INFO, &info) < 0)
        rc = -errno;
    if (rc < 0)
        return fail_sys(err, rc, "cannot ask a subvolume for its generation");
    *version = (int64_t)info.generation;
    return 0;
}

/* Removal is the cleaner's work: it begins with a commit, and what it freed is free with the next.
 */
int quota_btrfs_settle(const struct driver_pool *pool, int64_t deadline_ms, struct error *err)
{
    const struct timespec nap = { .tv_nsec = STEP_NS };
    uint32_t count = 0;
    int rc = sys_ioctl(pool->fd, BTRFS_IOC_SYNC, NULL);

    do {
        if (rc >= 0)
            rc = removals_left(pool->fd, &count);
        if (rc >= 0 && count > 0)
            (void)nanosleep(&nap, NULL); /* woken early: no harm */
    } while (rc >= 0 && count > 0 && clock_mono_ms() < deadline_ms);
    if (rc >= 0)
        rc = sys_ioctl(pool->fd, BTRFS_IOC_SYNC, NULL);
    return rc < 0 ? fail_sys(err, rc, "cannot wait for removals in pool '%s'", pool->name) : 0;
}

int quota_btrfs_flags(int fd, uint64_t *flags)
{
    struct btrfs_qgroup_status_item item = { 0 };
    int rc = btrfs_tree_get(fd,
                            &(struct btrfs_range){
                                .tree = BTRFS_QUOTA_TREE_OBJECTID,
                                .type = BTRFS_QGROUP_STATUS_KEY,
                            },
                            &item, offsetof(struct btrfs_qgroup_status_item, rescan));

    if (rc < 0 && rc != -ENOENT)
        return rc;
    *flags = rc > 0 ? le64toh(item.flags) : 0;
    return 0;
}

int quota_btrfs_has_group(int fd, uint64_t group)
{
    struct btrfs_qgroup_info_item info;

    return read_info(fd, group, &info);
}

int quota_btrfs_make_group(int fd, uint64_t group, bool is_made)
{
    struct btrfs_ioctl_qgroup_create_args args = { .create = is_made, .qgroupid = group };

    return sys_ioctl(fd, BTRFS_IOC_QGROUP_CREATE, &args);
}

int quota_btrfs_limit_group(int fd, uint64_t group, int64_t size_bytes)
{
    struct btrfs_ioctl_qgroup_limit_args args = {
        .qgroupid = group,
        .lim = {
            .flags = BTRFS_QGROUP_LIMIT_MAX_RFER,
            .max_rfer = size_bytes > 0 ? (uint64_t)size_bytes : UINT64_MAX,
        },
    };

    return sys_ioctl(fd, BTRFS_IOC_QGROUP_LIMIT, &args);
}

static int turn_on(const struct driver_pool *pool, struct error *err)
{
    struct btrfs_ioctl_quota_ctl_args args = { .cmd = BTRFS_QUOTA_CTL_ENABLE };
    uint64_t flags = 0;
    int rc = sys_ioctl(pool->fd, BTRFS_IOC_QUOTA_CTL, &args);

    if (rc >= 0)
        rc = quota_btrfs_flags(pool->fd, &flags);
    if (rc >= 0)
        rc = await_count(pool->fd, flags);
    return rc < 0 ? fail_sys(err, rc, "cannot turn on the quotas of pool '%s'", pool->name) : 0;
}

/* Counts that are not complete hold nobody to anything. */
static int await_count(int fd, uint64_t flags)
{
    struct btrfs_ioctl_quota_rescan_args args = { 0 };
    int rc = 0;

    if (flags == BTRFS_QGROUP_STATUS_FLAG_ON)
        return 0;
    rc = sys_ioctl(fd, BTRFS_IOC_QUOTA_RESCAN, &args);
    if (rc < 0 && rc != -EINPROGRESS)
        return rc;
    rc = sys_ioctl(fd, BTRFS_IOC_QUOTA_RESCAN_WAIT, NULL);
    return rc < 0 ? rc : commit(fd);
}

static int read_info(int fd, uint64_t group, struct btrfs_qgroup_info_item *info)
{
    int rc = btrfs_tree_get(fd,
                            &(struct btrfs_range){
                                .tree = BTRFS_QUOTA_TREE_OBJECTID,
                                .type = BTRFS_QGROUP_INFO_KEY,
                                .first_offset = group,
                            },
                            info, sizeof(*info));

    return rc == -ENOENT ? 0 : rc;
}

/* Without writing anybody's data back, as BTRFS_IOC_SYNC would. */
static int commit(int fd)
{
    uint64_t transaction = 0;
    int rc = sys_ioctl(fd, BTRFS_IOC_START_SYNC, &transaction);

    return rc < 0 ? rc : sys_ioctl(fd, BTRFS_IOC_WAIT_SYNC, &transaction);
}

/* A kernel that cannot tell is not waited for. */
static int removals_left(int fd, uint32_t *count)
{
    struct subvolume_wait args = { .mode = WAIT_COUNT };

    if (ioctl(fd, IOC_SUBVOL_SYNC_WAIT, &args) < 0)
        return errno == ENOTTY ? 0 : -errno;
    *count = args.count;
    return 0;
}
