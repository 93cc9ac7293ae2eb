/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes that can be cut only between two uses: their writable layer becomes a sealed one, and
 * whoever has a file open would go on writing to it.  So nobody is frozen; whoever has the volume
 * mounted is named, and the cut refused.
 */
#include "core/fence/fence.h"
#include "core/fence/liveness.h"
#include "core/pool/pool.h"
#include "core/volume/volume_view.h"
#include "store/attachment.h"
#include "store/plugin_mount.h"

static int rest_view(struct fence *fence, size_t index, const struct mount_table *table,
                     struct error *err);
static int check_unused(struct task *task, const struct mount_table *table,
                        const struct volume *volume, struct error *err);

int fence_rest_views(struct fence *fence, const struct mount_table *table, struct error *err)
{
    fence->rests = arena_array(fence->task->mem, fence->target_count, sizeof(*fence->rests));
    for (size_t i = 0; i < fence->target_count; i++)
        if (rest_view(fence, i, table, err) < 0)
            return -1;
    return 0;
}

void fence_wake_views(struct fence *fence)
{
    for (size_t i = 0; fence->rests != NULL && i < fence->target_count; i++)
        view_wake(&fence->rests[i]);
    fence->rests = NULL;
}

static int rest_view(struct fence *fence, size_t index, const struct mount_table *table,
                     struct error *err)
{
    const struct volume *volume = fence->targets[index].volume;
    const struct driver_pool *pool = NULL;

    if (pool_open(fence->task, volume->pool_id, &pool, err) < 0)
        return -1;
    if (!view_must_rest(pool))
        return 0;
    if (check_unused(fence->task, table, volume, err) < 0 ||
        view_put_to_rest(pool, TREE_IN_VOLUMES, volume->data_id, &fence->rests[index], err) < 0)
        return error_prefix(err, "driver '%s' copies a volume only while it is not in use",
                            pool->driver->name);
    return 0;
}

/* Also those that have it read-only: what they have mounted would stay at the old layers. */
static int check_unused(struct task *task, const struct mount_table *table,
                        const struct volume *volume, struct error *err)
{
    struct attachment_user *users = NULL;
    int64_t mounts = 0;
    int count = store_attachment_users(task->db, task->mem, volume->id, &users, err);

    if (count < 0 || store_plugin_mount_count(task->db, volume->id, &mounts, err) < 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (attachment_user_is_live(&users[i]))
            return fail(err, ERR_BUSY, "volume '%s' is mounted by container '%s' (%.12s); stop it",
                        volume->name, users[i].container_name, users[i].container_id);
    if (liveness_check_idle_in(task, table, volume, err) < 0)
        return -1;
    return mounts == 0
               ? 0
               : fail(err, ERR_BUSY, "volume '%s' is mounted by another engine", volume->name);
}
