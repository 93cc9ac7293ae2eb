/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images in STATE/disks that are no pool's: what a lost database leaves.  They hold data that
 * nobody else knows of, so they are told and never removed.
 */
#include <errno.h>

#include "base/dir.h"
#include "base/uuid.h"
#include "core/reconcile/reconcile_check.h"
#include "core/service.h"
#include "store/pool_disk.h"

static int check_disks(struct task *task, bool is_repair, struct findings *findings,
                       struct error *err);
static int is_unknown(struct task *task, const char *name, struct error *err);

const struct reconcile_check reconcile_disks = { "disks", check_disks };

static int check_disks(struct task *task, bool is_repair, struct findings *findings,
                       struct error *err)
{
    cleanup_dir DIR *dir = NULL;
    int rc = dir_open(task->service->state_fd, "disks", &dir);

    (void)is_repair;
    if (rc < 0)
        return rc == -ENOENT ? 0 : fail_sys(err, rc, "cannot look for images");
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        int unknown = uuid_is_valid(entry->d_name) ? is_unknown(task, entry->d_name, err) : 0;
        if (unknown < 0)
            return -1;
        if (unknown == 0)
            continue;
        const char *path =
            arena_printf(task->mem, "%s/disks/%s", task->service->state_dir, entry->d_name);
        finding_add(
            task, findings,
            &(struct finding){
                .kind = "unknown-image",
                .object = path,
                .text = arena_printf(task->mem,
                                     "no pool is on it; 'volctl pool adopt --image %s' takes"
                                     " over what it holds",
                                     path),
            });
    }
    return 0;
}

/* An image in STATE/disks is called by its pool's id. */
static int is_unknown(struct task *task, const char *name, struct error *err)
{
    struct pool_disk disk;
    int found = store_pool_disk_find(task->db, task->mem, name, &disk, err);

    return found != 0 ? (found < 0 ? -1 : 0) : reconcile_is_garbage(task, name, name, err);
}
