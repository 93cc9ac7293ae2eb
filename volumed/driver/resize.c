/* SPDX-License-Identifier: Apache-2.0 */
/* btrfs, XFS and ext4 by their ioctls; those of XFS and ext4 have no header beside the kernel's. */
#include "driver/resize.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include "base/base.h"
#include "base/sys.h"

struct xfs_geometry {
    uint32_t block_bytes;
    uint32_t others_before[6];
    uint32_t max_percent; /* of the space for inodes */
    uint64_t data_blocks;
    uint64_t others_between[3];
    uint8_t uuid[16];
    uint32_t others_after[7];
};

struct xfs_growth {
    uint64_t data_blocks;
    uint32_t max_percent;
};

#define XFS_GEOMETRY _IOR('X', 100, struct xfs_geometry)
#define XFS_GROW     _IOW('X', 110, struct xfs_growth)

#define EXT4_RESIZE _IOW('f', 16, uint64_t)

static int resize_btrfs(int fd, int64_t size_bytes, struct error *err);
static int resize_xfs(int fd, int64_t size_bytes, struct error *err);
static int resize_ext4(int fd, int64_t size_bytes, struct error *err);

static const struct {
    const char *type;
    int (*resize)(int fd, int64_t size_bytes, struct error *err);
} rows[] = {
    { "btrfs", resize_btrfs },
    { "xfs", resize_xfs },
    { "ext4", resize_ext4 },
};

int resize_filesystem(int fd, const char *type, int64_t size_bytes, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].type, type) == 0)
            return rows[i].resize(fd, size_bytes, err);
    return fail(err, ERR_UNSUPPORTED, "a filesystem '%s' cannot be resized", type);
}

static int resize_btrfs(int fd, int64_t size_bytes, struct error *err)
{
    struct btrfs_ioctl_vol_args args = { 0 };

    (void)snprintf(args.name, sizeof(args.name), "1:%lld", (long long)size_bytes);
    int rc = sys_ioctl(fd, BTRFS_IOC_RESIZE, &args);
    if (rc >= 0)
        rc = sys_ioctl(fd, BTRFS_IOC_SYNC, NULL);
    return rc < 0 ? fail_sys(err, rc, "cannot resize the filesystem") : 0;
}

static int resize_xfs(int fd, int64_t size_bytes, struct error *err)
{
    struct xfs_geometry geometry = { 0 };
    int rc = ioctl(fd, XFS_GEOMETRY, &geometry) < 0 ? -errno : 0;

    if (rc < 0 || geometry.block_bytes == 0)
        return fail_sys(err, rc < 0 ? rc : -EIO, "cannot ask for the filesystem's size");
    uint64_t blocks = (uint64_t)size_bytes / geometry.block_bytes;
    struct xfs_growth growth = { blocks, geometry.max_percent };
    if (blocks < geometry.data_blocks)
        return fail(err, ERR_UNSUPPORTED, "an XFS filesystem cannot be made smaller");
    if (blocks > geometry.data_blocks)
        rc = sys_ioctl(fd, XFS_GROW, &growth);
    if (rc >= 0)
        rc = sys_syncfs(fd);
    return rc < 0 ? fail_sys(err, rc, "cannot resize the filesystem") : 0;
}

/* Up only; what it has already is no change. */
static int resize_ext4(int fd, int64_t size_bytes, struct error *err)
{
    struct statfs fs;
    int rc = fstatfs(fd, &fs) < 0 ? -errno : 0;

    if (rc == 0) {
        uint64_t blocks = (uint64_t)size_bytes / (uint64_t)fs.f_bsize;
        rc = sys_ioctl(fd, EXT4_RESIZE, &blocks);
    }
    if (rc >= 0)
        rc = sys_syncfs(fd);
    return rc < 0 ? fail_sys(err, rc, "cannot resize the filesystem") : 0;
}
