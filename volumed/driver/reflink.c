/* SPDX-License-Identifier: Apache-2.0 */
/* XFS with reflink=1, and whatever else knows FICLONE: a clone walks the tree and shares blocks. */
#include <fcntl.h>
#include <unistd.h>

#include "base/sys.h"
#include "driver/copying.h"
#include "driver/data.h"
#include "driver/quota_project.h"

#define RANK        20
#define PROBE_BYTES 4096

static int probe(int dirfd);
static int clone_shared(const struct driver_pool *pool, const struct driver_copy *copy,
                        struct error *err);

const struct driver reflink_driver = {
    .name = "reflink",
    .clone_cost = COST_FILES,
    .probe = probe,
    .create = copying_create,
    .remove = copying_remove,
    .clone = clone_shared,
    .check_limit = quota_project_check,
    .set_limit = quota_project_set,
    .get_limit = quota_project_get,
    .usage = quota_project_usage,
    .is_project_free = quota_project_is_free,
};

/* XFS may be made without it, and others learn it: two files without names tell. */
static int probe(int dirfd)
{
    char block[PROBE_BYTES] = { 1 };
    cleanup_fd int from = sys_openat(dirfd, ".", O_TMPFILE | O_RDWR, 0600);
    cleanup_fd int to = sys_openat(dirfd, ".", O_TMPFILE | O_RDWR, 0600);

    if (from < 0 || to < 0 || sys_write_all(from, block, sizeof(block)) < 0)
        return 0;
    return data_share(from, to) < 0 ? 0 : RANK;
}

static int clone_shared(const struct driver_pool *pool, const struct driver_copy *copy,
                        struct error *err)
{
    return copying_clone(pool, copy, true, err);
}
