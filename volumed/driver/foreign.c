/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filesystems that others keep: the tree is an empty directory, on which core has mount/ put what
 * the volume's options name while it is in use.  There is nothing to clone: whoever serves the data
 * can.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/sys.h"
#include "driver/copying.h"

static int remove_mount_point(const struct driver_pool *pool, int dirfd, const char *name,
                              struct error *err);

const struct driver foreign_driver = {
    .name = "foreign",
    .create = copying_create,
    .remove = remove_mount_point,
};

/* rmdir(2) alone: if something is mounted there after all, nothing of it must go. */
static int remove_mount_point(const struct driver_pool *pool, int dirfd, const char *name,
                              struct error *err)
{
    int rc = sys_unlinkat(dirfd, name, AT_REMOVEDIR);

    if (rc < 0 && rc != -ENOENT)
        return fail_sys(err, rc, "cannot remove '%s' from pool '%s'", name, pool->name);
    return 0;
}
