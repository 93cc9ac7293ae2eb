/* SPDX-License-Identifier: Apache-2.0 */
/* From names to a descriptor.  Nothing is mounted for it, but what is foreign. */
#include "core/file/file_tree.h"

#include "base/sys.h"
#include "core/pool/pool.h"
#include "core/snapshot/snapshot.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"

int file_tree_open(struct task *task, const char *volume, const char *snapshot,
                   struct file_tree *tree, struct error *err)
{
    struct file_tree found = { .fd = -1, .has_snapshot = snapshot != NULL };

    if (volume_get(task, volume, &found.volume, err) < 0)
        return -1;
    found.name = found.volume.name;
    if (!volume_is_foreign(&found.volume) &&
        pool_open(task, found.volume.pool_id, &found.pool, err) < 0)
        return -1;
    if (found.has_snapshot) {
        if (snapshot_get(task, found.volume.id, snapshot, &found.snapshot, err) < 0)
            return -1;
        found.name = arena_printf(task->mem, "%s@%s", found.volume.name, found.snapshot.name);
        found.fd = snapshot_data_open(found.pool, &found.snapshot, err);
    } else {
        found.fd = volume_open(task, &found.volume, err);
    }
    if (found.fd < 0)
        return -1;
    *tree = found;
    return 0;
}

void file_tree_close(struct file_tree *tree)
{
    sys_close_fd(&tree->fd);
}
