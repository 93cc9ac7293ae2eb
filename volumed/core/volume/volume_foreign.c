/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounting on use, unmounting after it.  Whether it is mounted is asked of the kernel, whether it
 * is used of the rows; a claim on the data keeps two threads from doing both at once.
 */
#include "core/volume/volume_foreign.h"

#include <fcntl.h>

#include "base/sys.h"
#include "core/operation/claim.h"
#include "core/pool/pool.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "mount/filesystem.h"
#include "mount/table.h"
#include "store/attachment.h"
#include "store/plugin_mount.h"

int volume_foreign_open(struct task *task, const struct volume *volume, struct error *err)
{
    cleanup_claim struct claim claim = { 0 };
    const struct driver_pool *pool = NULL;

    if (pool_open(task, volume->pool_id, &pool, err) < 0)
        return -1;
    claim_enter(&claim, volume->data_id);
    cleanup_fd int fd = volume_data_open(pool, volume, err);
    if (fd < 0 || mount_is_root(fd))
        return move_fd(&fd);
    const char *device = pairs_get(&volume->options, "device");
    const struct filesystem_spec spec = {
        .type = pairs_get(&volume->options, "type"),
        .device = device != NULL ? device : "",
        .options = pairs_get(&volume->options, "o"),
    };
    if (filesystem_mount(&spec, volume_path(task, volume), err) < 0)
        return -1;
    return volume_data_open(pool, volume, err);
}

int volume_foreign_release(struct task *task, const struct volume *volume, struct error *err)
{
    cleanup_claim struct claim claim = { 0 };

    if (!volume_is_foreign(volume))
        return 0;
    claim_enter(&claim, volume->data_id);
    int used = volume_foreign_is_used(task, volume, err);
    if (used != 0)
        return used < 0 ? -1 : 0;
    if (filesystem_unmount(volume_path(task, volume), err) < 0)
        return err->code == ERR_BUSY ? 0 : -1;
    return 0;
}

int volume_foreign_is_used(struct task *task, const struct volume *volume, struct error *err)
{
    struct attachment_user *users = NULL;
    int64_t mounts = 0;
    int count = store_attachment_users(task->db, task->mem, volume->id, &users, err);

    if (count < 0 || store_plugin_mount_count(task->db, volume->id, &mounts, err) < 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (attachment_user_is_live(&users[i]))
            return 1;
    return mounts > 0 ? 1 : 0;
}
