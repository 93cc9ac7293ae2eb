/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of volumes and snapshots without their data; mounts that nobody uses any more. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/sys.h"
#include "core/operation/claim.h"
#include "core/pool/pool.h"
#include "core/reconcile/reconcile_check.h"
#include "core/service.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_foreign.h"
#include "mount/table.h"
#include "store/plugin_mount.h"
#include "store/snapshot.h"
#include "store/volume.h"

static int check_volumes(struct task *task, bool is_repair, struct findings *findings,
                         struct error *err);
static int check_volume(struct task *task, const struct volume *volume, bool is_repair,
                        struct findings *findings, struct error *err);
static int check_foreign(struct task *task, const struct driver_pool *pool,
                         const struct volume *volume, bool is_repair, struct findings *findings,
                         struct error *err);
static int check_snapshots(struct task *task, struct findings *findings, struct error *err);
static bool is_missing(int dirfd, const char *name);
static int is_unchanged(struct task *task, const struct volume *volume, struct error *err);
static int check_plugin_mounts(struct task *task, bool is_repair, struct findings *findings,
                               struct error *err);

const struct reconcile_check reconcile_volumes = { "volumes", check_volumes };
const struct reconcile_check reconcile_plugin_mounts = { "plugin mounts", check_plugin_mounts };

static int check_volumes(struct task *task, bool is_repair, struct findings *findings,
                         struct error *err)
{
    struct volume *list = NULL;
    int count = store_volume_list(task->db, task->mem, &list, err);

    for (int i = 0; i < count; i++)
        if (check_volume(task, &list[i], is_repair, findings, err) < 0)
            return -1;
    return count < 0 ? -1 : check_snapshots(task, findings, err);
}

static int check_volume(struct task *task, const struct volume *volume, bool is_repair,
                        struct findings *findings, struct error *err)
{
    const struct driver_pool *pool = NULL;
    struct error refused; /* told by the check of pools */

    if (pool_open(task, volume->pool_id, &pool, &refused) < 0)
        return 0;
    if (!is_missing(pool->volumes_fd, volume->data_id)) {
        if (volume_is_foreign(volume))
            return check_foreign(task, pool, volume, is_repair, findings, err);
        if (is_repair)
            (void)volume_path(task, volume); /* mounts its view, if it has one */
        return 0;
    }
    int unchanged = is_unchanged(task, volume, err);
    if (unchanged <= 0)
        return unchanged;
    finding_add(task, findings,
                &(struct finding){
                    .kind = "missing-volume-data",
                    .object = volume->name,
                    .text = arena_printf(task->mem, "'%s/volumes/%s' is not there", pool->path,
                                         volume->data_id),
                });
    return 0;
}

/* A container that died with us could not say that it was done. */
static int check_foreign(struct task *task, const struct driver_pool *pool,
                         const struct volume *volume, bool is_repair, struct findings *findings,
                         struct error *err)
{
    cleanup_fd int fd = sys_openat(pool->volumes_fd, volume->data_id, O_PATH | O_DIRECTORY, 0);

    if (fd < 0 || !mount_is_root(fd) || claim_is_held(volume->data_id))
        return 0;
    int used = volume_foreign_is_used(task, volume, err);
    if (used != 0)
        return used < 0 ? -1 : 0;
    sys_close_fd(&fd);
    struct error reason;
    finding_add(task, findings,
                &(struct finding){
                    .kind = "unused-mount",
                    .object = volume->name,
                    .text = "its filesystem is mounted, and nobody uses it",
                    .can_repair = true,
                    .is_repaired = is_repair && volume_foreign_release(task, volume, &reason) == 0,
                });
    return 0;
}

static int check_snapshots(struct task *task, struct findings *findings, struct error *err)
{
    struct snapshot *list = NULL;
    int count = store_snapshot_list(task->db, task->mem, NULL, &list, err);

    for (int i = 0; i < count; i++) {
        const struct driver_pool *pool = NULL;
        struct snapshot now;
        struct error refused;
        if (pool_open(task, list[i].pool_id, &pool, &refused) < 0 ||
            !is_missing(pool->snapshots_fd, list[i].id))
            continue;
        int found =
            store_snapshot_find(task->db, task->mem, list[i].volume_id, list[i].id, &now, err);
        if (found < 0)
            return -1;
        if (found == 0) /* removed meanwhile */
            continue;
        finding_add(
            task, findings,
            &(struct finding){
                .kind = "missing-snapshot-data",
                .object = arena_printf(task->mem, "%s@%s", list[i].volume_name, list[i].name),
                .text = arena_printf(task->mem, "'%s/snapshots/%s' is not there", pool->path,
                                     list[i].id),
            });
    }
    return count < 0 ? -1 : 0;
}

static bool is_missing(int dirfd, const char *name)
{
    struct stat st;

    return sys_fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -ENOENT;
}

/* The row still says the same, and no operation is moving its data. */
static int is_unchanged(struct task *task, const struct volume *volume, struct error *err)
{
    struct volume now;
    struct error held;
    int found = store_volume_find_id(task->db, task->mem, volume->id, &now, err);

    if (found <= 0)
        return found;
    return strcmp(now.data_id, volume->data_id) == 0 &&
           store_volume_check_free(task->db, &now, &held) == 0;
}

static int check_plugin_mounts(struct task *task, bool is_repair, struct findings *findings,
                               struct error *err)
{
    const char *boot_id = task->service->boot_id;
    int64_t stale = 0;

    if (store_plugin_mount_count_stale(task->db, boot_id, &stale, err) < 0)
        return -1;
    if (stale == 0)
        return 0;
    if (is_repair && store_plugin_mount_forget_stale(task->db, boot_id, err) < 0)
        return -1;
    finding_add(task, findings,
                &(struct finding){
                    .kind = "stale-plugin-mounts",
                    .object = arena_printf(task->mem, "%lld", (long long)stale),
                    .text = "mounts of other engines, made before the last boot",
                    .can_repair = true,
                    .is_repaired = is_repair,
                });
    return 0;
}
