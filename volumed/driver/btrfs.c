/* SPDX-License-Identifier: Apache-2.0 */
/*
 * btrfs by its ioctls: a tree is a subvolume, a clone a snapshot, durable when the ioctl returns
 * (it commits the transaction).  Containers may make subvolumes of their own inside; a snapshot has
 * empty directories in their place, and removal finds and removes them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/fs.h"
#include "base/sys.h"
#include "base/tree.h"
#include "driver/btrfs_diff.h"
#include "driver/driver.h"
#include "driver/quota_btrfs.h"

#define RANK       30
#define ROOT_INODE 256 /* of every subvolume (BTRFS_FIRST_FREE_OBJECTID) */

static int probe(int dirfd);
static int create(const struct driver_pool *pool, int dirfd, const char *name, struct error *err);
static int remove_subvolume(const struct driver_pool *pool, int dirfd, const char *name,
                            struct error *err);
static int remove_plain(const struct driver_pool *pool, int dirfd, const char *name,
                        struct error *err);
static int snapshot(const struct driver_pool *pool, const struct driver_copy *copy,
                    struct error *err);
static int limit_copy(const struct driver_pool *pool, const struct driver_copy *copy,
                      struct error *err);
static int seal(const struct driver_pool *pool, int dirfd, const char *name, bool is_read_only,
                struct error *err);
static int sync_tree(int fd, struct error *err);
static int set_nocow(int fd, struct error *err);
static int destroy(int dirfd, const char *name);
static int remove_nested(int dirfd, const char *name, struct error *err);
static int unseal_entered(void *context, const struct tree_entry *entry, struct error *err);
static int destroy_left(void *context, const struct tree_entry *entry, struct error *err);
static int set_read_only(int fd, bool is_read_only);
static int set_name(char *target, size_t size, const char *name);

const struct driver btrfs_driver = {
    .name = "btrfs",
    .clone_cost = COST_O1,
    .wants_directories = true,
    .probe = probe,
    .create = create,
    .remove = remove_subvolume,
    .clone = snapshot,
    .seal = seal,
    .diff = btrfs_diff,
    .sync = sync_tree,
    .set_nocow = set_nocow,
    .check_limit = quota_btrfs_check,
    .set_limit = quota_btrfs_set,
    .get_limit = quota_btrfs_get,
    .usage = quota_btrfs_usage,
    .version = quota_btrfs_version,
    .settle = quota_btrfs_settle,
    .tend = quota_btrfs_tend,
};

static int probe(int dirfd)
{
    return fs_magic(dirfd) == BTRFS_SUPER_MAGIC ? RANK : 0;
}

static int create(const struct driver_pool *pool, int dirfd, const char *name, struct error *err)
{
    struct btrfs_ioctl_vol_args args = { 0 };
    int rc = set_name(args.name, sizeof(args.name), name);

    if (rc >= 0)
        rc = sys_ioctl(dirfd, BTRFS_IOC_SUBVOL_CREATE, &args);
    return rc < 0 ? fail_sys(err, rc, "cannot make '%s' in pool '%s'", name, pool->name) : 0;
}

static int remove_subvolume(const struct driver_pool *pool, int dirfd, const char *name,
                            struct error *err)
{
    struct stat st;
    int rc = sys_fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW);

    if (rc == -ENOENT)
        return 0;
    if (rc == 0 && st.st_ino != ROOT_INODE)
        return remove_plain(pool, dirfd, name, err);
    if (rc == 0)
        rc = destroy(dirfd, name);
    if (rc == -ENOTEMPTY || rc == -EROFS) {
        if (remove_nested(dirfd, name, err) < 0)
            return -1;
        rc = destroy(dirfd, name);
    }
    if (rc < 0 && rc != -ENOENT)
        return fail_sys(err, rc, "cannot remove '%s' from pool '%s'", name, pool->name);
    return 0;
}

/* No tree of ours, or a directory in which one of the same name was being made
 * (core/snapshot/cut.c). */
static int remove_plain(const struct driver_pool *pool, int dirfd, const char *name,
                        struct error *err)
{
    struct stat st;
    cleanup_fd int fd = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    if (fd >= 0 && sys_fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        st.st_ino == ROOT_INODE && remove_subvolume(pool, fd, name, err) < 0)
        return -1;
    return fs_remove_tree(dirfd, name, err);
}

static int snapshot(const struct driver_pool *pool, const struct driver_copy *copy,
                    struct error *err)
{
    struct btrfs_ioctl_vol_args_v2 args = {
        .fd = copy->source_fd,
        .flags = copy->is_read_only ? BTRFS_SUBVOL_RDONLY : 0,
    };
    int rc = set_name(args.name, sizeof(args.name), copy->name);

    if (rc >= 0)
        rc = sys_ioctl(copy->dirfd, BTRFS_IOC_SNAP_CREATE_V2, &args);
    if (rc < 0)
        return fail_sys(err, rc, "cannot make '%s' in pool '%s'", copy->name, pool->name);
    if (copy->limit == NULL || limit_copy(pool, copy, err) == 0)
        return 0;
    (void)destroy(copy->dirfd, copy->name); /* else garbage for reconcile */
    return -1;
}

/* Also when there is no limit: the kernel gives a snapshot its source's. */
static int limit_copy(const struct driver_pool *pool, const struct driver_copy *copy,
                      struct error *err)
{
    cleanup_fd int fd = sys_openat(copy->dirfd, copy->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%s' in pool '%s'", copy->name, pool->name);
    return quota_btrfs_set(pool, fd, copy->limit, err);
}

static int seal(const struct driver_pool *pool, int dirfd, const char *name, bool is_read_only,
                struct error *err)
{
    cleanup_fd int fd = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    int rc = fd < 0 ? fd : set_read_only(fd, is_read_only);

    return rc < 0 ? fail_sys(err, rc, "cannot seal '%s' in pool '%s'", name, pool->name) : 0;
}

static int sync_tree(int fd, struct error *err)
{
    int rc = sys_ioctl(fd, BTRFS_IOC_SYNC, NULL);

    return rc < 0 ? fail_sys(err, rc, "cannot sync") : 0;
}

static int set_nocow(int fd, struct error *err)
{
    unsigned int flags = 0;
    int rc = sys_ioctl(fd, FS_IOC_GETFLAGS, &flags);

    flags |= FS_NOCOW_FL;
    if (rc >= 0)
        rc = sys_ioctl(fd, FS_IOC_SETFLAGS, &flags);
    return rc < 0 ? fail_sys(err, rc, "cannot turn copy-on-write off") : 0;
}

static int destroy(int dirfd, const char *name)
{
    struct btrfs_ioctl_vol_args args = { 0 };
    int rc = set_name(args.name, sizeof(args.name), name);

    return rc < 0 ? rc : sys_ioctl(dirfd, BTRFS_IOC_SNAP_DESTROY, &args);
}

/* Subvolumes that a container made inside, deepest first. */
static int remove_nested(int dirfd, const char *name, struct error *err)
{
    static const struct tree_visitor visitor = { .enter = unseal_entered, .leave = destroy_left };
    cleanup_fd int fd = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%s'", name);
    int rc = set_read_only(fd, false);
    if (rc < 0)
        return fail_sys(err, rc, "cannot unseal '%s'", name);
    return tree_walk(fd, &visitor, NULL, err);
}

static int unseal_entered(void *context, const struct tree_entry *entry, struct error *err)
{
    (void)context;
    if (entry->st.st_ino != ROOT_INODE || entry->fd < 0)
        return 0;
    int rc = set_read_only(entry->fd, false);
    return rc < 0 ? fail_sys(err, rc, "cannot unseal '%s'", entry->name) : 0;
}

static int destroy_left(void *context, const struct tree_entry *entry, struct error *err)
{
    (void)context;
    if (entry->st.st_ino != ROOT_INODE)
        return 0;
    int rc = destroy(entry->dirfd, entry->name);
    return rc < 0 && rc != -ENOENT ? fail_sys(err, rc, "cannot remove '%s'", entry->name) : 0;
}

static int set_read_only(int fd, bool is_read_only)
{
    uint64_t flags = 0;
    int rc = ioctl(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) < 0 ? -errno : 0;
    uint64_t wanted = is_read_only ? flags | BTRFS_SUBVOL_RDONLY : flags & ~BTRFS_SUBVOL_RDONLY;

    return rc < 0 || wanted == flags ? rc : sys_ioctl(fd, BTRFS_IOC_SUBVOL_SETFLAGS, &wanted);
}

static int set_name(char *target, size_t size, const char *name)
{
    size_t length = strlen(name);

    if (length >= size)
        return -ENAMETOOLONG;
    memcpy(target, name, length + 1);
    return 0;
}
