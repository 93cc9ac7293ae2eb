/* SPDX-License-Identifier: Apache-2.0 */
/* One file, allocated whole.  Whether a pool has one is asked of the pool. */
#include "core/pool/pool_reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/sys.h"

#define RESERVE_FILE "reserve"
#define FILE_MODE    0600
#define MIB          ((int64_t)1 << 20)
#define PART         64 /* of the pool */
#define MIN_BYTES    (8 * MIB)
#define MAX_BYTES    (256 * MIB)
#define ENOUGH       4 /* times as much must be free before it is made */

static bool release(const struct driver_pool *pool);

int pool_tree_clone(const struct driver_pool *pool, const struct driver_copy *copy,
                    struct error *err)
{
    if (pool->driver->clone(pool, copy, err) == 0)
        return 0;
    return err->code == ERR_NO_SPACE && release(pool) ? pool->driver->clone(pool, copy, err) : -1;
}

int pool_tree_remove(const struct driver_pool *pool, int dirfd, const char *name, struct error *err)
{
    if (pool->driver->remove(pool, dirfd, name, err) == 0)
        return 0;
    return err->code == ERR_NO_SPACE && release(pool) ? pool->driver->remove(pool, dirfd, name, err)
                                                      : -1;
}

int pool_reserve_make(const struct driver_pool *pool, struct error *err)
{
    struct statvfs space;
    struct stat st;

    if (sys_fstatat(pool->meta_fd, RESERVE_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0)
        return 0;
    if (fstatvfs(pool->fd, &space) < 0)
        return fail_sys(err, -errno, "cannot measure pool '%s'", pool->name);
    int64_t bytes = (int64_t)(space.f_blocks * space.f_frsize) / PART;
    bytes = bytes < MIN_BYTES ? MIN_BYTES : bytes > MAX_BYTES ? MAX_BYTES : bytes;
    if ((int64_t)(space.f_bavail * space.f_frsize) < bytes * ENOUGH)
        return 0;
    cleanup_fd int fd =
        sys_openat(pool->meta_fd, RESERVE_FILE, O_WRONLY | O_CREAT | O_NOFOLLOW, FILE_MODE);
    int rc = fd < 0 ? fd : sys_fallocate(fd, 0, 0, bytes);
    return rc < 0 ? fail_sys(err, rc, "cannot make the reserve of pool '%s'", pool->name) : 0;
}

/* True when there was one.  The sync is what makes its blocks free for others. */
static bool release(const struct driver_pool *pool)
{
    cleanup_fd int fd = sys_openat(pool->meta_fd, RESERVE_FILE, O_WRONLY | O_NOFOLLOW, 0);

    if (fd < 0 || sys_ftruncate(fd, 0) < 0)
        return false;
    (void)unlinkat(pool->meta_fd, RESERVE_FILE, 0); /* an empty one is none */
    return sys_syncfs(pool->fd) >= 0;
}
