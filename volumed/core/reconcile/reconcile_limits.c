/* SPDX-License-Identifier: Apache-2.0 */
/* Limits that rows promise and the filesystem does not keep; numbers of projects nobody has. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/sys.h"
#include "core/operation/claim.h"
#include "core/pool/pool.h"
#include "core/reconcile/reconcile_check.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_limit.h"
#include "store/project.h"
#include "store/volume.h"

#define ROUND_BYTES 1024 /* filesystems count in such blocks */

static int check_limits(struct task *task, bool is_repair, struct findings *findings,
                        struct error *err);
static int check_volume(struct task *task, const struct volume *volume, bool is_repair,
                        struct findings *findings, struct error *err);
static bool is_kept(const struct volume_limit *wanted, const struct driver_limit *kept);
static int forget_projects(struct task *task, struct error *err);
static int forget_project(struct task *task, const struct driver_pool *pool,
                          const struct project *project, struct error *err);

const struct reconcile_check reconcile_limits = { "limits", check_limits };

static int check_limits(struct task *task, bool is_repair, struct findings *findings,
                        struct error *err)
{
    struct volume *list = NULL;
    int count = store_volume_list(task->db, task->mem, &list, err);

    for (int i = 0; i < count; i++)
        if (check_volume(task, &list[i], is_repair, findings, err) < 0)
            return -1;
    if (count < 0)
        return -1;
    return is_repair ? forget_projects(task, err) : 0;
}

static int check_volume(struct task *task, const struct volume *volume, bool is_repair,
                        struct findings *findings, struct error *err)
{
    const struct driver_pool *pool = NULL;
    struct volume_limit wanted = { 0 };
    struct driver_limit kept = { 0 };
    struct error reason = { 0 };

    if (volume_limit_read(&volume->options, &wanted, err) < 0)
        return -1;
    if (!volume_limit_is_given(&wanted) || pool_open(task, volume->pool_id, &pool, &reason) < 0 ||
        store_volume_check_free(task->db, volume, &reason) < 0)
        return 0;
    cleanup_fd int fd = volume_source_open(pool, volume, pool->id, &reason);
    if (fd < 0) /* told by the check of volumes */
        return 0;
    if (pool->driver->get_limit != NULL && pool->driver->get_limit(pool, fd, &kept, &reason) == 0 &&
        is_kept(&wanted, &kept))
        return 0;
    finding_add(task, findings,
                &(struct finding){
                    .kind = "lost-limit",
                    .object = volume->name,
                    .text = "the filesystem does not hold it to its limit",
                    .can_repair = true,
                    .is_repaired = is_repair && volume_limit_apply(task, pool, volume,
                                                                   pool->volumes_fd, &reason) == 0,
                });
    return 0;
}

static bool is_kept(const struct volume_limit *wanted, const struct driver_limit *kept)
{
    return kept->size_bytes >= wanted->size_bytes &&
           kept->size_bytes < wanted->size_bytes + ROUND_BYTES && kept->inodes == wanted->inodes;
}

static int forget_projects(struct task *task, struct error *err)
{
    struct pool *pools = NULL;
    int pool_count = pool_list(task, &pools, err);

    for (int i = 0; i < pool_count; i++) {
        const struct driver_pool *open = NULL;
        struct project *list = NULL;
        struct error refused;
        if (pool_open(task, pools[i].id, &open, &refused) < 0)
            continue;
        int count = store_project_list(task->db, task->mem, pools[i].id, &list, err);
        for (int j = 0; j < count; j++)
            if (forget_project(task, open, &list[j], err) < 0)
                return -1;
        if (count < 0)
            return -1;
    }
    return pool_count < 0 ? -1 : 0;
}

/* A tree may be anywhere in the pool; one that is being made has its claim. */
static int forget_project(struct task *task, const struct driver_pool *pool,
                          const struct project *project, struct error *err)
{
    const int places[] = { pool->volumes_fd, pool->snapshots_fd, pool->trash_fd, pool->tmp_fd };
    struct stat st;
    int is_garbage = reconcile_is_garbage(task, pool->id, project->data_id, err);

    if (is_garbage <= 0)
        return is_garbage;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        if (sys_fstatat(places[i], project->data_id, &st, AT_SYMLINK_NOFOLLOW) == 0)
            return 0;
    if (pool->driver->is_project_free != NULL)
        (void)pool->driver->is_project_free(pool, (uint32_t)project->id, true); /* is forgotten */
    return store_project_delete(task->db, project->id, err);
}
