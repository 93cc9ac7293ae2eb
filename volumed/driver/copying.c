/* SPDX-License-Identifier: Apache-2.0 */
/* Trees as plain directories: made, removed, and built aside before they get their name. */
#include "driver/copying.h"

#include <errno.h>
#include <fcntl.h>

#include "base/fs.h"
#include "base/sys.h"
#include "driver/tree_copy.h"

#define TREE_MODE 0755

static int publish(const struct driver_pool *pool, const struct driver_copy *copy,
                   struct error *err);

int copying_create(const struct driver_pool *pool, int dirfd, const char *name, struct error *err)
{
    int rc = sys_mkdirat(dirfd, name, TREE_MODE);

    return rc < 0 ? fail_sys(err, rc, "cannot make '%s' in pool '%s'", name, pool->name) : 0;
}

int copying_remove(const struct driver_pool *pool, int dirfd, const char *name, struct error *err)
{
    if (fs_remove_tree(dirfd, name, err) < 0)
        return error_prefix(err, "pool '%s'", pool->name);
    return 0;
}

int copying_clone(const struct driver_pool *pool, const struct driver_copy *copy, bool is_shared,
                  struct error *err)
{
    if (fs_remove_tree(pool->tmp_fd, copy->name, err) < 0) /* left by a crash */
        return -1;
    cleanup_fd int target = fs_make_dir(pool->tmp_fd, copy->name, 0700, err);
    if (target < 0)
        return -1;
    if (copy->limit != NULL && pool->driver->set_limit != NULL &&
        pool->driver->set_limit(pool, target, copy->limit, err) < 0)
        return -1;
    const struct tree_copy_spec spec = {
        .source_fd = copy->source_fd,
        .target_fd = target,
        .is_shared = is_shared,
        .is_durable = true,
        .deadline_ms = copy->deadline_ms,
    };
    if (tree_copy(&spec, err) < 0 || publish(pool, copy, err) < 0)
        return error_prefix(err, "pool '%s'", pool->name);
    return 0;
}

static int publish(const struct driver_pool *pool, const struct driver_copy *copy,
                   struct error *err)
{
    int rc = sys_renameat2(pool->tmp_fd, copy->name, copy->dirfd, copy->name, 0);

    if (rc >= 0)
        rc = sys_fsync(copy->dirfd);
    return rc < 0 ? fail_sys(err, rc, "cannot publish '%s'", copy->name) : 0;
}
