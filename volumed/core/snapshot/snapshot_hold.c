/* SPDX-License-Identifier: Apache-2.0 */
/* Holding snapshots: a row, in one transaction. */
#include "core/snapshot/snapshot_hold.h"

#include "base/clock.h"
#include "core/operation/event.h"
#include "core/operation/op.h"
#include "core/snapshot/snapshot.h"
#include "model/name.h"
#include "store/snapshot_hold.h"

struct holding {
    struct snapshot snapshot;
    struct hold hold;
};

static int find(struct task *task, const char *volume_ref, const char *name,
                struct holding *holding, struct error *err);
static int run(struct task *task, const struct op_kind *kind, struct holding *holding,
               struct error *err);
static int hold_finish(struct task *task, struct op *op, struct error *err);
static int release_finish(struct task *task, struct op *op, struct error *err);
static int tell(struct task *task, const struct holding *holding, const char *action,
                struct error *err);
static const char *full_name(struct task *task, const struct snapshot *snapshot);

static const struct op_kind hold_kind = { .name = "snapshot.hold", .finish = hold_finish };
static const struct op_kind release_kind = { .name = "snapshot.release", .finish = release_finish };

int snapshot_hold(struct task *task, const char *volume_ref, const char *name, const char *tag,
                  const char *kind, struct error *err)
{
    struct holding holding = {
        .hold = { .tag = tag, .kind = kind, .actor = task->actor, .created_ms = clock_now_ms() }
    };

    if (name_check("tag", tag, err) < 0 || find(task, volume_ref, name, &holding, err) < 0)
        return -1;
    return run(task, &hold_kind, &holding, err);
}

int snapshot_release(struct task *task, const char *volume_ref, const char *name, const char *tag,
                     struct error *err)
{
    struct holding holding = { .hold = { .tag = tag } };

    if (find(task, volume_ref, name, &holding, err) < 0)
        return -1;
    return run(task, &release_kind, &holding, err);
}

int snapshot_hold_list(struct task *task, const char *volume_ref, const char *name,
                       struct hold **list, struct error *err)
{
    struct holding holding = { 0 };

    if (find(task, volume_ref, name, &holding, err) < 0)
        return -1;
    return store_hold_list(task->db, task->mem, holding.snapshot.id, list, err);
}

static int find(struct task *task, const char *volume_ref, const char *name,
                struct holding *holding, struct error *err)
{
    if (snapshot_get(task, volume_ref, name, &holding->snapshot, err) < 0)
        return -1;
    holding->hold.snapshot_id = holding->snapshot.id;
    return 0;
}

static int run(struct task *task, const struct op_kind *kind, struct holding *holding,
               struct error *err)
{
    cleanup_op struct op op = {
        .kind = kind,
        .subject = arena_printf(task->mem, "snapshot '%s'", full_name(task, &holding->snapshot)),
        .data = holding,
    };

    return op_run(task, &op, err);
}

static int hold_finish(struct task *task, struct op *op, struct error *err)
{
    const struct holding *holding = op->data;
    struct snapshot now;

    if (snapshot_get(task, holding->snapshot.volume_id, holding->snapshot.id, &now, err) < 0)
        return -1;
    if (store_hold_insert(task->db, &holding->hold, err) < 0) {
        if (err->code == ERR_EXISTS)
            return fail(err, ERR_EXISTS, "snapshot '%s' is held by '%s' already",
                        full_name(task, &holding->snapshot), holding->hold.tag);
        return -1;
    }
    return tell(task, holding, "hold", err);
}

static int release_finish(struct task *task, struct op *op, struct error *err)
{
    const struct holding *holding = op->data;
    const char *name = full_name(task, &holding->snapshot);
    int gone = store_hold_delete(task->db, holding->snapshot.id, holding->hold.tag, err);

    if (gone < 0)
        return -1;
    if (gone == 0)
        return holding->hold.tag != NULL
                   ? fail(err, ERR_NOT_FOUND, "snapshot '%s' is not held by '%s'", name,
                          holding->hold.tag)
                   : fail(err, ERR_NOT_FOUND, "snapshot '%s' is not held", name);
    return tell(task, holding, "release", err);
}

static int tell(struct task *task, const struct holding *holding, const char *action,
                struct error *err)
{
    struct pair tag = { "tag", holding->hold.tag != NULL ? holding->hold.tag : "" };

    return event_emit(task, "snapshot", action, full_name(task, &holding->snapshot),
                      &(struct pairs){ 1, &tag }, err);
}

static const char *full_name(struct task *task, const struct snapshot *snapshot)
{
    return arena_printf(task->mem, "%s@%s", snapshot->volume_name, snapshot->name);
}
