/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cutting, listing and removing snapshots.  A cut is built under a new UUID, so that one commit
 * publishes it; that transaction checks that the volume is still what was cut.
 */
#include "core/snapshot.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/attachment_snapshot.h"
#include "core/claim.h"
#include "core/fence.h"
#include "core/op.h"
#include "core/pool.h"
#include "core/snapshot_name.h"
#include "core/space.h"
#include "core/trash.h"
#include "core/volume.h"
#include "core/volume_data.h"
#include "core/volume_event.h"
#include "model/name.h"
#include "store/snapshot.h"
#include "store/volume.h"

struct cut {
    struct volume volume;
    struct snapshot snapshot;
    int64_t freeze_timeout_ms;
};

struct removing {
    struct volume volume;
    struct snapshot snapshot;
    bool is_for_trash;
};

static int plan(struct task *task, const char *volume_ref, const struct snapshot_spec *spec,
                struct cut *cut, struct error *err);
static int cut_apply(struct task *task, struct op *op, struct error *err);
static int clone_data(const struct driver_pool *pool, const struct cut *cut, int source_fd,
                      int64_t deadline_ms, struct error *err);
static int cut_finish(struct task *task, struct op *op, struct error *err);
static int cut_revert(struct task *task, struct op *op, struct error *err);
static int replayed(struct task *task, const struct op *op, const char *volume_ref,
                    struct snapshot *snapshot, struct error *err);
static int check_removable(struct task *task, const struct removing *removing, struct error *err);
static int remove_finish(struct task *task, struct op *op, struct error *err);
static void remove_after(struct task *task, struct op *op, bool is_done);

static const struct op_kind create_kind = {
    .name = "snapshot.create",
    .apply = cut_apply,
    .finish = cut_finish,
    .revert = cut_revert,
};

static const struct op_kind remove_kind = {
    .name = "snapshot.remove",
    .finish = remove_finish,
    .after = remove_after,
};

int snapshot_create(struct task *task, const char *volume_ref, const struct snapshot_spec *spec,
                    struct snapshot *snapshot, struct error *err)
{
    cleanup_claim struct claim claim = { 0 };
    struct cut cut = { 0 };

    if (plan(task, volume_ref, spec, &cut, err) < 0)
        return -1;
    cleanup_op struct op op = {
        .kind = &create_kind,
        .subject = arena_printf(task->mem, "snapshot '%s@%s'", cut.volume.name, cut.snapshot.name),
        .data = &cut,
        .result = json_object(),
    };
    json_set(op.result, "id", json_text(cut.snapshot.id));
    claim_enter(&claim, cut.snapshot.id);
    if (op_run(task, &op, err) < 0)
        return -1;
    if (op.is_replayed)
        return replayed(task, &op, volume_ref, snapshot, err);
    *snapshot = cut.snapshot;
    return 0;
}

int snapshot_get(struct task *task, const char *volume_ref, const char *name,
                 struct snapshot *snapshot, struct error *err)
{
    struct volume volume;

    if (volume_get(task, volume_ref, &volume, err) < 0)
        return -1;
    int found = store_snapshot_find(task->db, task->mem, volume.id, name, snapshot, err);
    if (found < 0)
        return -1;
    return found > 0 ? 0 : fail(err, ERR_NOT_FOUND, "no such snapshot: %s@%s", volume.name, name);
}

int snapshot_list(struct task *task, const char *volume_ref, struct snapshot **list,
                  struct error *err)
{
    struct volume volume = { 0 };

    if (volume_ref != NULL && volume_get(task, volume_ref, &volume, err) < 0)
        return -1;
    return store_snapshot_list(task->db, task->mem, volume.id, list, err);
}

int snapshot_remove(struct task *task, const char *volume_ref, const char *name,
                    const struct snapshot_remove_spec *spec, struct error *err)
{
    cleanup_claim struct claim claim = { 0 };
    struct removing removing = { .is_for_trash = !spec->is_now && trash_is_on(task) };

    if (volume_get(task, volume_ref, &removing.volume, err) < 0 ||
        snapshot_get(task, removing.volume.id, name, &removing.snapshot, err) < 0)
        return -1;
    if (spec->is_dry_run)
        return check_removable(task, &removing, err);
    cleanup_op struct op op = {
        .kind = &remove_kind,
        .subject = arena_printf(task->mem, "snapshot '%s@%s'", removing.volume.name,
                                removing.snapshot.name),
        .data = &removing,
    };
    claim_enter(&claim, removing.snapshot.id);
    return op_run(task, &op, err);
}

const char *snapshot_name_of_now(struct task *task, const char *volume_id, const char *prefix)
{
    struct snapshot taken;
    struct error ignored; /* if it cannot be asked, the insert will tell */
    int64_t now_ns = clock_now_ns();
    time_t now_s = (time_t)(now_ns / 1000000000);
    struct tm tm;
    char text[32] = "";

    (void)gmtime_r(&now_s, &tm);
    (void)strftime(text, sizeof(text), "%Y%m%dT%H%M%S", &tm);
    const char *name = arena_printf(task->mem, "%s%sZ", prefix, text);
    if (store_snapshot_find(task->db, task->mem, volume_id, name, &taken, &ignored) <= 0)
        return name;
    return arena_printf(task->mem, "%s%s.%09lldZ", prefix, text, (long long)(now_ns % 1000000000));
}

static int plan(struct task *task, const char *volume_ref, const struct snapshot_spec *spec,
                struct cut *cut, struct error *err)
{
    struct snapshot taken;
    char id[UUID_SIZE];

    if (volume_get(task, volume_ref, &cut->volume, err) < 0 ||
        (spec->name != NULL && name_check("snapshot", spec->name, err) < 0) ||
        store_volume_check_free(task->db, &cut->volume, err) < 0)
        return -1;
    if (volume_is_foreign(&cut->volume))
        return fail(err, ERR_UNSUPPORTED,
                    "volume '%s' lies on a filesystem of type '%s', which has no snapshots here",
                    cut->volume.name, pairs_get(&cut->volume.options, "type"));
    uuid_make(id);
    cut->freeze_timeout_ms = spec->freeze_timeout_ms;
    cut->snapshot = (struct snapshot){
        .id = arena_strdup(task->mem, id),
        .volume_id = cut->volume.id,
        .volume_name = cut->volume.name,
        .pool_id = cut->volume.pool_id,
        .name = spec->name != NULL ? spec->name : snapshot_name_of_now(task, cut->volume.id, ""),
        .state = "ready",
        .reason = "user",
        .labels = spec->labels,
        .created_ms = clock_now_ms(),
    };
    /* Asked before the work; the row's key decides in the end.  A repeat by key is another matter.
     */
    int found = task->idempotency_key != NULL
                    ? 0
                    : store_snapshot_find(task->db, task->mem, cut->volume.id, cut->snapshot.name,
                                          &taken, err);
    if (found != 0)
        return found < 0 ? -1
                         : fail(err, ERR_EXISTS, "snapshot '%s@%s' exists already",
                                cut->volume.name, cut->snapshot.name);
    return space_check(
        task, cut->volume.pool_id,
        arena_printf(task->mem, "snapshot '%s@%s'", cut->volume.name, cut->snapshot.name), err);
}

static int cut_apply(struct task *task, struct op *op, struct error *err)
{
    struct cut *cut = op->data;
    cleanup_fence struct fence fence = { 0 };
    const struct driver_pool *pool = NULL;

    if (pool_open(task, cut->volume.pool_id, &pool, err) < 0)
        return -1;
    cleanup_fd int source_fd = volume_data_open(pool, &cut->volume, err);
    if (source_fd < 0 ||
        fence_raise(task, &cut->volume, source_fd, cut->freeze_timeout_ms, &fence, err) < 0 ||
        clone_data(pool, cut, source_fd, fence.deadline_ms, err) < 0 ||
        fence_lower(&fence, &cut->snapshot.pause_ns, err) < 0)
        return error_prefix(err, "cannot cut volume '%s'", cut->volume.name);
    cut->snapshot.fence = fence.kind;
    cut->snapshot.cost = pool->driver->clone_cost;
    return 0;
}

static int clone_data(const struct driver_pool *pool, const struct cut *cut, int source_fd,
                      int64_t deadline_ms, struct error *err)
{
    const struct driver_copy copy = {
        .source_fd = source_fd,
        .dirfd = pool->snapshots_fd,
        .name = cut->snapshot.id,
        .is_read_only = true,
        .deadline_ms = deadline_ms,
    };

    if (pool->driver->clone == NULL)
        return fail(err, ERR_UNSUPPORTED, "driver '%s' has no snapshots", pool->driver->name);
    return pool->driver->clone(pool, &copy, err);
}

static int cut_finish(struct task *task, struct op *op, struct error *err)
{
    struct cut *cut = op->data;
    struct volume now;
    int found = store_volume_find_id(task->db, task->mem, cut->volume.id, &now, err);

    if (found < 0 || (found > 0 && store_volume_check_free(task->db, &now, err) < 0))
        return -1;
    if (found == 0 || strcmp(now.data_id, cut->volume.data_id) != 0)
        return fail(err, ERR_CONFLICT, "volume '%s' was replaced or removed while it was cut",
                    cut->volume.name);
    if (store_snapshot_insert(task->db, &cut->snapshot, err) < 0) {
        if (err->code == ERR_EXISTS)
            return fail(err, ERR_EXISTS, "snapshot '%s@%s' exists already", cut->volume.name,
                        cut->snapshot.name);
        return -1;
    }
    return snapshot_event(task, "create", &cut->snapshot, err);
}

static int cut_revert(struct task *task, struct op *op, struct error *err)
{
    const struct cut *cut = op->data;

    (void)err;
    volume_data_discard(task, cut->snapshot.pool_id, cut->snapshot.id);
    return 0;
}

static int replayed(struct task *task, const struct op *op, const char *volume_ref,
                    struct snapshot *snapshot, struct error *err)
{
    const char *id = "";

    if (json_get_text(op->result, "id", task->mem, &id, err) < 0)
        return -1;
    return snapshot_get(task, volume_ref, id, snapshot, err);
}

static int check_removable(struct task *task, const struct removing *removing, struct error *err)
{
    if (store_volume_check_free(task->db, &removing->volume, err) < 0)
        return -1;
    return snapshot_check_unpinned(task, &removing->snapshot, err);
}

static int remove_finish(struct task *task, struct op *op, struct error *err)
{
    const struct removing *removing = op->data;

    if (check_removable(task, removing, err) < 0 ||
        (removing->is_for_trash ? trash_put_snapshot(task, &removing->snapshot, err)
                                : store_snapshot_delete(task->db, removing->snapshot.id, err)) < 0)
        return -1;
    return snapshot_event(task, "destroy", &removing->snapshot, err);
}

static void remove_after(struct task *task, struct op *op, bool is_done)
{
    const struct removing *removing = op->data;

    if (is_done && removing->is_for_trash)
        trash_notice(task);
    else if (is_done)
        volume_data_discard(task, removing->snapshot.pool_id, removing->snapshot.id);
}
