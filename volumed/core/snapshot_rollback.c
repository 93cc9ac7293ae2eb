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
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/claim.h"
#include "core/lineage.h"
#include "core/liveness.h"
#include "core/op.h"
#include "core/pool.h"
#include "core/snapshot.h"
#include "core/snapshot_name.h"
#include "core/storage_kinds.h"
#include "core/volume.h"
#include "core/volume_data.h"
#include "core/volume_event.h"
#include "store/attachment.h"
#include "store/plugin_mount.h"
#include "store/snapshot.h"
#include "store/volume.h"

struct rollback {
    struct volume volume; /* its data_id is the old one */
    const char *wanted_id;
    const char *wanted_name;
    const char *new_data_id;
    struct snapshot safety;
};

static int plan(struct task *task, const char *volume_ref, const char *name,
                struct rollback *rollback, struct error *err);
static int prepare(struct task *task, struct op *op, struct error *err);
static int rehearse(struct task *task, const struct volume *volume, struct error *err);
static int check_rows(struct task *task, const struct volume *volume, struct error *err);
static void write_note(struct op *op, const struct rollback *rollback);
static int load(struct task *task, struct op *op, struct error *err);
static int apply(struct task *task, struct op *op, struct error *err);
static int sync_directories(const struct driver_pool *pool, struct error *err);
static int clone_wanted(struct task *task, const struct driver_pool *pool,
                        const struct rollback *rollback, struct error *err);
static int set_aside(const struct driver_pool *pool, const struct rollback *rollback,
                     struct error *err);
static int finish(struct task *task, struct op *op, struct error *err);
static int revert(struct task *task, struct op *op, struct error *err);
static bool exists(int dirfd, const char *name);
static int move_tree(int from_fd, const char *from, int to_fd, const char *to, struct error *err);

const struct op_kind snapshot_rollback_kind = {
    .name = "snapshot.rollback",
    .prepare = prepare,
    .load = load,
    .apply = apply,
    .finish = finish,
    .revert = revert,
};

int snapshot_rollback(struct task *task, const char *volume_ref, const char *name, bool is_dry_run,
                      struct snapshot *safety, struct error *err)
{
    struct rollback rollback = { 0 };

    if (plan(task, volume_ref, name, &rollback, err) < 0)
        return -1;
    if (is_dry_run)
        return rehearse(task, &rollback.volume, err);
    cleanup_op struct op op = {
        .kind = &snapshot_rollback_kind,
        .subject = arena_printf(task->mem, "volume '%s' to '%s'", rollback.volume.name,
                                rollback.wanted_name),
        .objects = {
            arena_printf(task->mem, "volume:%s", rollback.volume.id),
            arena_printf(task->mem, "snapshot:%s", rollback.wanted_id),
        },
        .data = &rollback,
        .result = json_object(),
    };
    json_set(op.result, "safety", json_text(rollback.safety.id));
    if (op_run(task, &op, err) < 0)
        return -1;
    const char *id = rollback.safety.id;
    if (json_get_text(op.result, "safety", task->mem, &id, err) < 0)
        return -1;
    return snapshot_get(task, rollback.volume.id, id, safety, err);
}

static int plan(struct task *task, const char *volume_ref, const char *name,
                struct rollback *rollback, struct error *err)
{
    struct snapshot wanted;
    char id[UUID_SIZE];

    if (volume_get(task, volume_ref, &rollback->volume, err) < 0 ||
        snapshot_get(task, rollback->volume.id, name, &wanted, err) < 0)
        return -1;
    rollback->wanted_id = wanted.id;
    rollback->wanted_name = wanted.name;
    uuid_make(id);
    rollback->new_data_id = arena_strdup(task->mem, id);
    uuid_make(id);
    rollback->safety = (struct snapshot){
        .id = arena_strdup(task->mem, id),
        .volume_id = rollback->volume.id,
        .volume_name = rollback->volume.name,
        .pool_id = rollback->volume.pool_id,
        .name = snapshot_name_of_now(task, rollback->volume.id, "before-"),
        .state = "ready",
        .reason = "safety",
        .fence = "idle",
        .created_ms = clock_now_ms(),
    };
    return 0;
}

static int prepare(struct task *task, struct op *op, struct error *err)
{
    struct rollback *rollback = op->data;
    struct volume now;
    int found = store_volume_find_id(task->db, task->mem, rollback->volume.id, &now, err);

    if (found <= 0)
        return found < 0
                   ? -1
                   : fail(err, ERR_NOT_FOUND, "get %s: no such volume", rollback->volume.name);
    rollback->volume = now;
    if (check_rows(task, &now, err) < 0)
        return -1;
    write_note(op, rollback);
    return 0;
}

static int rehearse(struct task *task, const struct volume *volume, struct error *err)
{
    if (check_rows(task, volume, err) < 0 || store_volume_check_free(task->db, volume, err) < 0)
        return -1;
    return liveness_check_idle(task, volume, err);
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

static void write_note(struct op *op, const struct rollback *rollback)
{
    op->note = json_object();
    json_set(op->note, "volume", json_text(rollback->volume.id));
    json_set(op->note, "wanted", json_text(rollback->wanted_id));
    json_set(op->note, "wanted_name", json_text(rollback->wanted_name));
    json_set(op->note, "old_data", json_text(rollback->volume.data_id));
    json_set(op->note, "new_data", json_text(rollback->new_data_id));
    json_set(op->note, "safety", json_text(rollback->safety.id));
    json_set(op->note, "safety_name", json_text(rollback->safety.name));
    json_set(op->note, "created_ms", json_integer(rollback->safety.created_ms));
}

static int load(struct task *task, struct op *op, struct error *err)
{
    struct rollback *rollback = arena_alloc(task->mem, sizeof(*rollback));
    struct snapshot *safety = &rollback->safety;
    const char *volume_id = NULL;
    const char *old_data_id = NULL;
    struct arena *mem = task->mem;

    op->data = rollback;
    if (json_get_text(op->note, "volume", mem, &volume_id, err) < 0 ||
        json_get_text(op->note, "wanted", mem, &rollback->wanted_id, err) < 0 ||
        json_get_text(op->note, "wanted_name", mem, &rollback->wanted_name, err) < 0 ||
        json_get_text(op->note, "old_data", mem, &old_data_id, err) < 0 ||
        json_get_text(op->note, "new_data", mem, &rollback->new_data_id, err) < 0 ||
        json_get_text(op->note, "safety", mem, &safety->id, err) < 0 ||
        json_get_text(op->note, "safety_name", mem, &safety->name, err) < 0 ||
        json_get_int(op->note, "created_ms", &safety->created_ms, err) < 0)
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

static int apply(struct task *task, struct op *op, struct error *err)
{
    const struct rollback *rollback = op->data;
    const struct driver_pool *pool = NULL;

    if (pool_open(task, rollback->volume.pool_id, &pool, err) < 0 ||
        liveness_check_idle(task, &rollback->volume, err) < 0 ||
        clone_wanted(task, pool, rollback, err) < 0 || set_aside(pool, rollback, err) < 0)
        return -1;
    /* Here and not beside the renames: a resumed run finds them done, but perhaps not durable. */
    return sync_directories(pool, err);
}

static int sync_directories(const struct driver_pool *pool, struct error *err)
{
    int rc = sys_fsync(pool->snapshots_fd);

    if (rc >= 0)
        rc = sys_fsync(pool->volumes_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot sync pool '%s'", pool->name) : 0;
}

static int clone_wanted(struct task *task, const struct driver_pool *pool,
                        const struct rollback *rollback, struct error *err)
{
    const struct snapshot wanted = {
        .id = rollback->wanted_id,
        .name = rollback->wanted_name,
        .volume_name = rollback->volume.name,
    };
    struct volume clone = rollback->volume;

    if (exists(pool->volumes_fd, rollback->new_data_id)) /* whole: it is published by a rename */
        return 0;
    cleanup_fd int source_fd = snapshot_data_open(pool, &wanted, err);
    clone.data_id = rollback->new_data_id;
    return source_fd < 0 ? -1 : volume_data_clone(task, &clone, source_fd, pool, 0, err);
}

static int set_aside(const struct driver_pool *pool, const struct rollback *rollback,
                     struct error *err)
{
    const char *old = rollback->volume.data_id;
    const char *safety = rollback->safety.id;

    if (!exists(pool->snapshots_fd, safety) &&
        move_tree(pool->volumes_fd, old, pool->snapshots_fd, safety, err) < 0)
        return -1;
    return pool->driver->seal == NULL
               ? 0
               : pool->driver->seal(pool, pool->snapshots_fd, safety, true, err);
}

static int finish(struct task *task, struct op *op, struct error *err)
{
    const struct rollback *rollback = op->data;
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

static int revert(struct task *task, struct op *op, struct error *err)
{
    const struct rollback *rollback = op->data;
    const struct driver_pool *pool = NULL;
    const char *safety = rollback->safety.id;

    if (pool_open(task, rollback->volume.pool_id, &pool, err) < 0)
        return -1;
    if (exists(pool->snapshots_fd, safety)) {
        if (pool->driver->seal != NULL &&
            pool->driver->seal(pool, pool->snapshots_fd, safety, false, err) < 0)
            return -1;
        if (move_tree(pool->snapshots_fd, safety, pool->volumes_fd, rollback->volume.data_id, err) <
            0)
            return -1;
    }
    volume_data_discard(task, rollback->volume.pool_id, rollback->new_data_id);
    return sync_directories(pool, err);
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
