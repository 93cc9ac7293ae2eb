/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rolling a volume back.  Its contents move to a safety snapshot and a clone of the wanted snapshot
 * takes their place; the row changes to the clone's data in the transaction that also publishes the
 * safety snapshot.
 *
 *    volumes/            snapshots/            row's data_id   a crash here, resumed
 *    old                 wanted                old             nothing was begun
 *  ── intent on the volume and both snapshots ──────────────── prepare
 *    old (tmp/new)       wanted                old             clone is begun again
 *    old  new            wanted                old             goes on
 *    new                 wanted safety(=old)   old             goes on
 *  ── row → new, safety's row, intent gone ─────────────────── finish
 *    new                 wanted safety         new             done
 *
 * A step that fails takes the others back: old moves from snapshots/ to volumes/, new is thrown
 * away.  Moving is a rename, and each step asks the disk what is done already.
 */
#include "core/snapshot/rollback.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/fence/liveness.h"
#include "core/pool/pool.h"
#include "core/volume/lineage.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_event.h"
#include "core/volume/volume_view.h"
#include "store/attachment.h"
#include "store/plugin_mount.h"
#include "store/snapshot.h"
#include "store/volume.h"

static int check_rows(struct task *task, const struct volume *volume, struct error *err);
static bool exists(int dirfd, const char *name);
static int move_tree(int from_fd, const char *from, int to_fd, const char *to, struct error *err);
static const char *new_id(struct task *task);

void rollback_plan(struct task *task, const struct volume *volume, const struct snapshot *wanted,
                   const char *safety_name, struct rollback *rollback)
{
    *rollback = (struct rollback){
        .volume = *volume,
        .wanted_id = wanted->id,
        .wanted_name = wanted->name,
        .new_data_id = new_id(task),
        .safety = {
            .id = new_id(task),
            .volume_id = volume->id,
            .volume_name = volume->name,
            .pool_id = volume->pool_id,
            .name = safety_name,
            .state = "ready",
            .reason = "safety",
            .fence = "idle",
            .created_ms = clock_now_ms(),
        },
    };
}

int rollback_prepare(struct task *task, struct rollback *rollback, struct error *err)
{
    struct volume now;
    int found = store_volume_find_id(task->db, task->mem, rollback->volume.id, &now, err);

    if (found <= 0)
        return found < 0
                   ? -1
                   : fail(err, ERR_NOT_FOUND, "get %s: no such volume", rollback->volume.name);
    rollback->volume = now;
    return check_rows(task, &now, err);
}

int rollback_rehearse(struct task *task, const struct mount_table *table,
                      const struct volume *volume, const char *holder, struct error *err)
{
    if (check_rows(task, volume, err) < 0 ||
        store_volume_check_free_but(task->db, volume, holder, err) < 0)
        return -1;
    return liveness_check_idle_in(task, table, volume, err);
}

/* What the rows say; the kernel is asked in apply, when the intent keeps others from starting. */
static int check_rows(struct task *task, const struct volume *volume, struct error *err)
{
    struct attachment_user *users = NULL;
    int64_t mounts = 0;
    int count = store_attachment_users(task->db, task->mem, volume->id, &users, err);

    if (count < 0 || store_plugin_mount_count(task->db, volume->id, &mounts, err) < 0)
        return -1;
    if (volume->is_protected)
        return fail(err, ERR_CONFLICT, "volume '%s' is protected", volume->name);
    for (int i = 0; i < count; i++)
        if (attachment_user_is_live(&users[i]))
            return fail(err, ERR_BUSY, "volume '%s' is mounted by container '%s' (%.12s)",
                        volume->name, users[i].container_name, users[i].container_id);
    if (mounts > 0) {
        if (liveness_check_idle(task, volume, err) < 0) /* the kernel can tell who */
            return -1;
        return fail(err, ERR_BUSY, "volume '%s' is mounted by another engine", volume->name);
    }
    return 0;
}

json_t *rollback_note(const struct rollback *rollback)
{
    json_t *note = json_object();

    json_set(note, "volume", json_text(rollback->volume.id));
    json_set(note, "wanted", json_text(rollback->wanted_id));
    json_set(note, "wanted_name", json_text(rollback->wanted_name));
    json_set(note, "old_data", json_text(rollback->volume.data_id));
    json_set(note, "new_data", json_text(rollback->new_data_id));
    json_set(note, "safety", json_text(rollback->safety.id));
    json_set(note, "safety_name", json_text(rollback->safety.name));
    json_set(note, "created_ms", json_integer(rollback->safety.created_ms));
    return note;
}

int rollback_load(struct task *task, const json_t *note, struct rollback *rollback,
                  struct error *err)
{
    struct snapshot *safety = &rollback->safety;
    const char *volume_id = NULL;
    const char *old_data_id = NULL;
    struct arena *mem = task->mem;

    *rollback = (struct rollback){ 0 };
    if (json_get_text(note, "volume", mem, &volume_id, err) < 0 ||
        json_get_text(note, "wanted", mem, &rollback->wanted_id, err) < 0 ||
        json_get_text(note, "wanted_name", mem, &rollback->wanted_name, err) < 0 ||
        json_get_text(note, "old_data", mem, &old_data_id, err) < 0 ||
        json_get_text(note, "new_data", mem, &rollback->new_data_id, err) < 0 ||
        json_get_text(note, "safety", mem, &safety->id, err) < 0 ||
        json_get_text(note, "safety_name", mem, &safety->name, err) < 0 ||
        json_get_int(note, "created_ms", &safety->created_ms, err) < 0)
        return -1;
    if (store_volume_find_id(task->db, mem, volume_id, &rollback->volume, err) <= 0)
        return fail(err, ERR_CORRUPT, "the volume that is rolled back is no more");
    rollback->volume.data_id = old_data_id;
    safety->volume_id = volume_id;
    safety->volume_name = rollback->volume.name;
    safety->pool_id = rollback->volume.pool_id;
    safety->state = "ready";
    safety->reason = "safety";
    safety->fence = "idle";
    return 0;
}

int rollback_clone(struct task *task, const struct rollback *rollback, struct error *err)
{
    const struct driver_pool *pool = NULL;
    const struct snapshot wanted = {
        .id = rollback->wanted_id,
        .name = rollback->wanted_name,
        .volume_name = rollback->volume.name,
    };
    struct volume clone = rollback->volume;

    if (pool_open(task, rollback->volume.pool_id, &pool, err) < 0)
        return -1;
    if (exists(pool->volumes_fd, rollback->new_data_id)) /* whole: it is published by a rename */
        return 0;
    cleanup_fd int source_fd = snapshot_source_open(pool, &wanted, pool->id, err);
    clone.data_id = rollback->new_data_id;
    return source_fd < 0 ? -1 : volume_data_clone(task, &clone, source_fd, pool, 0, err);
}

int rollback_set_aside(struct task *task, const struct rollback *rollback, struct error *err)
{
    const char *old = rollback->volume.data_id;
    const char *safety = rollback->safety.id;
    const struct driver_pool *pool = NULL;

    if (pool_open(task, rollback->volume.pool_id, &pool, err) < 0)
        return -1;
    cleanup_view_rest struct view_rest rest = { 0 };
    if (view_put_to_rest(pool, TREE_IN_VOLUMES, old, &rest, err) < 0)
        return error_prefix(err, "volume '%s' is in use", rollback->volume.name);
    if (!exists(pool->snapshots_fd, safety) &&
        move_tree(pool->volumes_fd, old, pool->snapshots_fd, safety, err) < 0)
        return -1;
    return pool->driver->seal == NULL
               ? 0
               : pool->driver->seal(pool, pool->snapshots_fd, safety, true, err);
}

/* A step of its own: a resumed run finds the renames done, but perhaps not durable. */
int rollback_sync(struct task *task, const struct rollback *rollback, struct error *err)
{
    const struct driver_pool *pool = NULL;

    if (pool_open(task, rollback->volume.pool_id, &pool, err) < 0)
        return -1;
    int rc = sys_fsync(pool->snapshots_fd);
    if (rc >= 0)
        rc = sys_fsync(pool->volumes_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot sync pool '%s'", pool->name) : 0;
}

int rollback_finish(struct task *task, const struct rollback *rollback, struct error *err)
{
    const struct volume *volume = &rollback->volume;
    const struct snapshot wanted = {
        .id = rollback->wanted_id,
        .name = rollback->wanted_name,
        .volume_name = volume->name,
    };
    struct pair items[] = { { "snapshot", rollback->wanted_name },
                            { "safety", rollback->safety.name } };

    if (store_volume_set_data(task->db, volume->id, volume->data_id, rollback->new_data_id, err) <
            0 ||
        store_snapshot_insert(task->db, &rollback->safety, err) < 0 ||
        lineage_note_rolled_back(task, volume, &wanted, err) < 0 ||
        snapshot_event(task, "create", &rollback->safety, err) < 0)
        return -1;
    return volume_event(task, "rollback", volume, &(struct pairs){ ARRAY_SIZE(items), items }, err);
}

int rollback_revert(struct task *task, const struct rollback *rollback, struct error *err)
{
    const struct driver_pool *pool = NULL;
    const char *safety = rollback->safety.id;

    if (pool_open(task, rollback->volume.pool_id, &pool, err) < 0)
        return -1;
    if (exists(pool->snapshots_fd, safety)) {
        cleanup_view_rest struct view_rest rest = { 0 };
        if (view_put_to_rest(pool, TREE_IN_SNAPSHOTS, safety, &rest, err) < 0)
            return -1;
        if (pool->driver->seal != NULL &&
            pool->driver->seal(pool, pool->snapshots_fd, safety, false, err) < 0)
            return -1;
        if (move_tree(pool->snapshots_fd, safety, pool->volumes_fd, rollback->volume.data_id, err) <
            0)
            return -1;
    }
    volume_data_discard(task, rollback->volume.pool_id, rollback->new_data_id);
    return rollback_sync(task, rollback, err);
}

static bool exists(int dirfd, const char *name)
{
    struct stat st;

    return sys_fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int move_tree(int from_fd, const char *from, int to_fd, const char *to, struct error *err)
{
    int rc = sys_renameat2(from_fd, from, to_fd, to, RENAME_NOREPLACE);

    return rc < 0 ? fail_sys(err, rc, "cannot move '%s'", from) : 0;
}

static const char *new_id(struct task *task)
{
    char id[UUID_SIZE];

    uuid_make(id);
    return arena_strdup(task->mem, id);
}
