/* SPDX-License-Identifier: Apache-2.0 */
/* The verb that rolls one volume back; its steps are rollback.c's. */
#include "core/fence/liveness.h"
#include "core/operation/op.h"
#include "core/operation/storage_kinds.h"
#include "core/snapshot/rollback.h"
#include "core/snapshot/snapshot.h"
#include "core/snapshot/snapshot_name.h"
#include "core/volume/volume.h"

static int rehearse(struct task *task, const struct volume *volume, struct error *err);
static int prepare(struct task *task, struct op *op, struct error *err);
static int load(struct task *task, struct op *op, struct error *err);
static int apply(struct task *task, struct op *op, struct error *err);
static int finish(struct task *task, struct op *op, struct error *err);
static int revert(struct task *task, struct op *op, struct error *err);

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
    struct rollback rollback;
    struct volume volume;
    struct snapshot wanted;

    if (volume_get(task, volume_ref, &volume, err) < 0 ||
        snapshot_get(task, volume.id, name, &wanted, err) < 0)
        return -1;
    if (is_dry_run)
        return rehearse(task, &volume, err);
    rollback_plan(task, &volume, &wanted, snapshot_name_of_now(task, volume.id, "before-"),
                  &rollback);
    cleanup_op struct op op = {
        .kind = &snapshot_rollback_kind,
        .subject = arena_printf(task->mem, "volume '%s' to '%s'", volume.name, wanted.name),
        .objects = {
            arena_printf(task->mem, "volume:%s", volume.id),
            arena_printf(task->mem, "snapshot:%s", wanted.id),
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
    return snapshot_get(task, volume.id, id, safety, err);
}

static int rehearse(struct task *task, const struct volume *volume, struct error *err)
{
    struct mount_table table = { 0 };

    if (mount_table_read(task->mem, &table, err) < 0)
        return -1;
    return rollback_rehearse(task, &table, volume, NULL, err);
}

static int prepare(struct task *task, struct op *op, struct error *err)
{
    if (rollback_prepare(task, op->data, err) < 0)
        return -1;
    op->note = rollback_note(op->data);
    return 0;
}

static int load(struct task *task, struct op *op, struct error *err)
{
    op->data = arena_alloc(task->mem, sizeof(struct rollback));
    return rollback_load(task, op->note, op->data, err);
}

/* The rows were asked in prepare; the kernel is now, when the intent keeps others from starting. */
static int apply(struct task *task, struct op *op, struct error *err)
{
    const struct rollback *rollback = op->data;

    if (liveness_check_idle(task, &rollback->volume, err) < 0 ||
        rollback_clone(task, rollback, err) < 0 || rollback_set_aside(task, rollback, err) < 0)
        return -1;
    return rollback_sync(task, rollback, err);
}

static int finish(struct task *task, struct op *op, struct error *err)
{
    return rollback_finish(task, op->data, err);
}

static int revert(struct task *task, struct op *op, struct error *err)
{
    return rollback_revert(task, op->data, err);
}
