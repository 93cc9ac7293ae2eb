/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every inode of a tree bears its project's number, and new ones inherit it from their directory.
 * The kernel refuses to rename or link between directories of different projects (EXDEV), which is
 * why the pool's own directories bear none: whole trees move between them freely.
 *
 * One interface, quotactl_fd(2), serves both filesystems; XFS answers it too.
 */
#include "driver/quota_project.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/quota.h>
#include <sys/ioctl.h>

#include "base/fs.h"
#include "base/sys.h"
#include "base/tree.h"

#define BLOCK_BYTES 1024 /* of dqb_bhardlimit, whatever the filesystem's */
#define COMMAND(c)  ((unsigned int)(c) << SUBCMDSHIFT | PRJQUOTA)
#define XFS_MAGIC   0x58465342

static bool is_enforced(int fd);
static const char *what_would(int fd);
static int write_limit(int fd, const struct driver_limit *limit);
static int mark_tree(int fd, uint32_t project, bool *is_changed, struct error *err);
static int mark_directory(void *context, const struct tree_entry *entry, struct error *err);
static int mark_file(void *context, const struct tree_entry *entry, struct error *err);
static int mark(int fd, uint32_t project, bool is_directory);
static int project_of(int fd, uint32_t *project);

int quota_project_check(const struct driver_pool *pool, const struct driver_limit *limit,
                        struct error *err)
{
    (void)limit;
    if (is_enforced(pool->fd))
        return 0;
    return fail(err, ERR_UNSUPPORTED, "pool '%s' cannot limit volumes: %s", pool->name,
                what_would(pool->fd));
}

int quota_project_set(const struct driver_pool *pool, int fd, const struct driver_limit *limit,
                      struct error *err)
{
    bool is_changed = false;
    int rc = 0;

    if (limit->project == 0) /* it never had one */
        return 0;
    rc = write_limit(pool->fd, limit);
    if (rc < 0)
        return fail_sys(err, rc, "cannot set a limit in pool '%s'", pool->name);
    if (mark_tree(fd, limit->project, &is_changed, err) < 0)
        return error_prefix(err, "cannot set a limit in pool '%s'", pool->name);
    rc = is_changed ? sys_fsync(fd) : sys_syncfs(pool->fd);
    return rc < 0 ? fail_sys(err, rc, "cannot sync pool '%s'", pool->name) : 0;
}

int quota_project_get(const struct driver_pool *pool, int fd, struct driver_limit *limit,
                      struct error *err)
{
    struct if_dqblk block = { 0 };
    uint32_t project = 0;
    int rc = project_of(fd, &project);

    *limit = (struct driver_limit){ .project = rc >= 0 ? project : 0 };
    if (limit->project == 0 || !is_enforced(pool->fd))
        return 0;
    rc = sys_quotactl_fd(pool->fd, COMMAND(Q_GETQUOTA), project, &block);
    if (rc < 0 && rc != -ESRCH)
        return fail_sys(err, rc, "cannot read a limit in pool '%s'", pool->name);
    limit->size_bytes = (int64_t)block.dqb_bhardlimit * BLOCK_BYTES;
    limit->inodes = (int64_t)block.dqb_ihardlimit;
    return 0;
}

/* Always fresh: the kernel counts what it has promised, too. */
int quota_project_usage(const struct driver_pool *pool, int fd, bool is_fresh,
                        struct driver_usage *usage, struct error *err)
{
    struct if_dqblk block = { 0 };
    uint32_t project = 0;
    int rc = project_of(fd, &project);

    (void)is_fresh;
    if (rc < 0 || project == 0 || !is_enforced(pool->fd))
        return fail(err, ERR_UNSUPPORTED, "nothing counts this tree in pool '%s'", pool->name);
    rc = sys_quotactl_fd(pool->fd, COMMAND(Q_GETQUOTA), project, &block);
    if (rc < 0)
        return fail_sys(err, rc, "cannot measure in pool '%s'", pool->name);
    *usage = (struct driver_usage){
        .referenced_bytes = (int64_t)block.dqb_curspace,
        .exclusive_bytes = -1,
        .inodes = (int64_t)block.dqb_curinodes,
    };
    return 0;
}

bool quota_project_is_free(const struct driver_pool *pool, uint32_t project, bool is_freed)
{
    const struct driver_limit none = { .project = project };
    struct if_dqblk block = { 0 };

    if (is_freed && is_enforced(pool->fd))
        (void)write_limit(pool->fd, &none); /* a limit of a number that nothing bears: harmless */
    int rc = sys_quotactl_fd(pool->fd, COMMAND(Q_GETQUOTA), project, &block);
    return rc < 0 || (block.dqb_curspace == 0 && block.dqb_curinodes == 0 &&
                      block.dqb_bhardlimit == 0 && block.dqb_ihardlimit == 0);
}

/* Counted and enforced: a filesystem may do the first without the second. */
static bool is_enforced(int fd)
{
    struct fs_quota_statv state = { .qs_version = FS_QSTATV_VERSION1 };
    const int wanted = FS_QUOTA_PDQ_ACCT | FS_QUOTA_PDQ_ENFD;

    if (sys_quotactl_fd(fd, COMMAND(Q_XGETQSTATV), 0, &state) < 0)
        return false;
    return (state.qs_flags & wanted) == wanted;
}

static const char *what_would(int fd)
{
    switch (fs_magic(fd)) {
    case XFS_MAGIC:
        return "its XFS has no project quota; mount it with 'pquota' on a kernel that knows it, or"
               " make a pool with 'volctl pool create NAME --driver btrfs', or there with '--driver"
               " image'";
    case EXT4_SUPER_MAGIC:
        return "its ext4 has no project quota; make it with 'mkfs.ext4 -O quota,project' and mount"
               " it with 'prjquota' on a kernel that knows it, or make a pool with 'volctl pool"
               " create NAME --driver btrfs', or there with '--driver image'";
    default:
        return "its filesystem has no project quota; make a pool with 'volctl pool create NAME"
               " --driver btrfs', or there with '--driver image'";
    }
}

static int write_limit(int fd, const struct driver_limit *limit)
{
    struct if_dqblk block = {
        .dqb_bhardlimit = ((uint64_t)limit->size_bytes + BLOCK_BYTES - 1) / BLOCK_BYTES,
        .dqb_ihardlimit = (uint64_t)limit->inodes,
        .dqb_valid = QIF_LIMITS,
    };

    return sys_quotactl_fd(fd, COMMAND(Q_SETQUOTA), limit->project, &block);
}

/* From the root down, so that what appears meanwhile inherits.  What cannot be opened for it
 * (links, devices) is an inode and no data: it stays uncounted. */
static int mark_tree(int fd, uint32_t project, bool *is_changed, struct error *err)
{
    static const struct tree_visitor visitor = { .enter = mark_directory, .visit = mark_file };
    uint32_t present = 0;
    int rc = project_of(fd, &present);

    if (rc >= 0 && present == project)
        return 0;
    *is_changed = true;
    if (rc >= 0)
        rc = mark(fd, project, true);
    return rc < 0 ? fail_sys(err, rc, "cannot give a tree its project")
                  : tree_walk(fd, &visitor, &project, err);
}

static int mark_directory(void *context, const struct tree_entry *entry, struct error *err)
{
    const uint32_t *project = context;
    int rc = entry->fd < 0 ? 0 : mark(entry->fd, *project, true);

    return rc < 0 ? fail_sys(err, rc, "cannot give '%s' its project", entry->name) : 0;
}

static int mark_file(void *context, const struct tree_entry *entry, struct error *err)
{
    const uint32_t *project = context;
    cleanup_fd int fd = -1;

    if (!S_ISREG(entry->st.st_mode))
        return 0;
    fd = sys_openat(entry->dirfd, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    int rc = fd < 0 ? fd : mark(fd, *project, false);
    return rc < 0 && rc != -ENOENT ? fail_sys(err, rc, "cannot give '%s' its project", entry->name)
                                   : 0;
}

static int mark(int fd, uint32_t project, bool is_directory)
{
    struct fsxattr attributes = { 0 };
    int rc = ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0 ? -errno : 0;

    attributes.fsx_projid = project;
    if (is_directory)
        attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
    return rc < 0 ? rc : sys_ioctl(fd, FS_IOC_FSSETXATTR, &attributes);
}

static int project_of(int fd, uint32_t *project)
{
    struct fsxattr attributes = { 0 };

    if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0)
        return -errno;
    *project = attributes.fsx_projid;
    return 0;
}
