/* SPDX-License-Identifier: Apache-2.0 */
/* Making (core/snapshot/cut.h), listing and removing snapshots of one volume. */
#include "core/snapshot/snapshot.h"

#include <time.h>

#include "base/clock.h"
#include "core/attachment/attachment_snapshot.h"
#include "core/operation/claim.h"
#include "core/operation/op.h"
#include "core/snapshot/cut.h"
#include "core/snapshot/snapshot_name.h"
#include "core/volume/trash.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_event.h"
#include "store/snapshot.h"
#include "store/volume.h"

struct removing {
    struct volume volume;
    struct snapshot snapshot;
    bool is_for_trash;
};

static int create(struct task *task, void *context, struct error *err);
static int create_apply(struct task *task, struct op *op, struct error *err);
static int create_finish(struct task *task, struct op *op, struct error *err);
static int create_revert(struct task *task, struct op *op, struct error *err);
static int replayed(struct task *task, const struct op *op, const char *volume_ref,
                    struct snapshot *snapshot, struct error *err);
static int check_removable(struct task *task, const struct removing *removing, struct error *err);
static int remove_finish(struct task *task, struct op *op, struct error *err);
static void remove_after(struct task *task, struct op *op, bool is_done);

static const struct op_kind create_kind = {
    .name = "snapshot.create",
    .apply = create_apply,
    .finish = create_finish,
    .revert = create_revert,
};

static const struct op_kind remove_kind = {
    .name = "snapshot.remove",
    .finish = remove_finish,
    .after = remove_after,
};

int snapshot_create(struct task *task, const char *volume_ref, const struct snapshot_spec *spec,
                    struct snapshot *snapshot, struct error *err)
{
    const struct snapshot pattern = {
        .name = spec->name,
        .reason = spec->reason != NULL ? spec->reason : "user",
        .labels = spec->labels,
    };
    cleanup_cut struct cut cut = { .freeze_timeout_ms = spec->freeze_timeout_ms };
    struct hook_plan hooks;
    struct volume volume;

    if (volume_get(task, volume_ref, &volume, err) < 0 ||
        cut_add(task, &cut, &volume, &pattern, err) < 0 ||
        hook_plan(task, &spec->hooks, &cut, &hooks, err) < 0 ||
        hook_around(task, &hooks, create, &cut, err) < 0)
        return -1;
    *snapshot = cut.members[0].snapshot;
    hook_warn(task, &hooks, &snapshot->warnings);
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
    cleanup_op struct op seen = { .kind = &remove_kind };
    int is_seen = op_replay(task, &seen, err);

    if (is_seen != 0)
        return is_seen < 0 ? -1 : 0;
    if (volume_get(task, volume_ref, &removing.volume, err) < 0 ||
        snapshot_get(task, removing.volume.id, name, &removing.snapshot, err) < 0)
        return -1;
    if (removing.snapshot.set_id != NULL)
        return fail(err, ERR_CONFLICT,
                    "snapshot '%s@%s' is a member of set '%s': remove the set, 'set rm %s'",
                    removing.volume.name, removing.snapshot.name, removing.snapshot.set_name,
                    removing.snapshot.set_name);
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
    const char *name = snapshot_name_of_time(task, prefix, now_ns, false);

    if (store_snapshot_find(task->db, task->mem, volume_id, name, &taken, &ignored) <= 0)
        return name;
    return snapshot_name_of_time(task, prefix, now_ns, true);
}

const char *snapshot_name_of_time(struct task *task, const char *prefix, int64_t time_ns,
                                  bool is_precise)
{
    time_t time_s = (time_t)(time_ns / 1000000000);
    struct tm tm;
    char text[32] = "";

    (void)gmtime_r(&time_s, &tm);
    (void)strftime(text, sizeof(text), "%Y%m%dT%H%M%S", &tm);
    return is_precise ? arena_printf(task->mem, "%s%s.%09lldZ", prefix, text,
                                     (long long)(time_ns % 1000000000))
                      : arena_printf(task->mem, "%s%sZ", prefix, text);
}

/* As the hooks' body: 'context' is the cut. */
static int create(struct task *task, void *context, struct error *err)
{
    struct cut *cut = context;
    struct snapshot *snapshot = &cut->members[0].snapshot;
    cleanup_op struct op op = {
        .kind = &create_kind,
        .subject =
            arena_printf(task->mem, "snapshot '%s@%s'", snapshot->volume_name, snapshot->name),
        .data = cut,
        .result = json_object(),
    };

    json_set(op.result, "id", json_text(snapshot->id));
    if (op_run(task, &op, err) < 0)
        return -1;
    return op.is_replayed ? replayed(task, &op, snapshot->volume_id, snapshot, err) : 0;
}

static int create_apply(struct task *task, struct op *op, struct error *err)
{
    return cut_take(task, op->data, err);
}

static int create_finish(struct task *task, struct op *op, struct error *err)
{
    return cut_insert(task, op->data, err);
}

static int create_revert(struct task *task, struct op *op, struct error *err)
{
    (void)err;
    cut_discard(task, op->data);
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
