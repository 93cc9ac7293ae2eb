/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making volumes: empty ones, and copies of volumes and snapshots.  The data is built under a new
 * UUID and made durable, then one transaction gives it a name; a crash before that leaves garbage.
 */
#include <string.h>

#include "base/sys.h"
#include "core/fence/fence.h"
#include "core/operation/claim.h"
#include "core/operation/op.h"
#include "core/pool/pool.h"
#include "core/pool/space.h"
#include "core/service.h"
#include "core/snapshot/snapshot.h"
#include "core/volume/volume.h"
#include "core/volume/volume_creation.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_draft.h"
#include "core/volume/volume_event.h"
#include "store/volume.h"

static int find_existing(struct task *task, const struct volume_draft *draft, struct volume *volume,
                         struct error *err);
static int find_source(struct task *task, struct creation *creation, struct error *err);
static void inherit_limit(struct task *task, struct creation *creation);
static int note_parent(struct task *task, struct creation *creation);
static int run(struct task *task, struct creation *creation, struct error *err);
static int build(struct task *task, struct op *op, struct error *err);
static int build_copy(struct task *task, struct creation *creation, struct error *err);
static int copy_live(struct task *task, struct creation *creation, const struct driver_pool *pool,
                     struct error *err);
static int publish(struct task *task, struct op *op, struct error *err);
static int discard(struct task *task, struct op *op, struct error *err);

static const struct op_kind create_kind = {
    .name = "volume.create",
    .apply = build,
    .finish = publish,
    .revert = discard,
};

int volume_create(struct task *task, const struct volume_spec *spec, struct volume *volume,
                  bool *is_new, enum cost *cost, struct error *err)
{
    struct creation creation = { .cost = COST_O1 };

    if (volume_draft(task, spec, &creation.draft, err) < 0)
        return -1;
    int found = find_existing(task, &creation.draft, volume, err);
    if (found == 0) {
        if (find_source(task, &creation, err) < 0)
            return -1;
        if (run(task, &creation, err) == 0) {
            *volume = creation.draft.volume;
            *is_new = true;
            *cost = creation.cost;
            return 0;
        }
        if (err->code != ERR_EXISTS) /* else somebody was faster: theirs may be what we want */
            return -1;
        found = find_existing(task, &creation.draft, volume, err);
    }
    if (found <= 0)
        return found < 0 ? -1
                         : fail(err, ERR_BUSY, "volume '%s' came and went; try again",
                                creation.draft.volume.name);
    *is_new = false;
    *cost = COST_O1;
    return 0;
}

/* 1: there is one and it is what is asked for; 0: there is none. */
static int find_existing(struct task *task, const struct volume_draft *draft, struct volume *volume,
                         struct error *err)
{
    struct volume existing;
    int found = store_volume_find(task->db, task->mem, draft->volume.name, &existing, err);

    if (found <= 0 || strcmp(existing.name, draft->volume.name) != 0)
        return found < 0 ? -1 : 0;
    if (volume_draft_compare(draft, &existing, err) < 0)
        return -1;
    *volume = existing;
    return 1;
}

static int find_source(struct task *task, struct creation *creation, struct error *err)
{
    struct volume_draft *draft = &creation->draft;

    if (draft->from_volume == NULL)
        return 0;
    if (volume_get(task, draft->from_volume, &creation->source, err) < 0)
        return -1;
    if (draft->from_snapshot != NULL &&
        snapshot_get(task, creation->source.id, draft->from_snapshot, &creation->snapshot, err) < 0)
        return -1;
    if (volume_is_foreign(&creation->source))
        return fail(err, ERR_UNSUPPORTED,
                    "volume '%s' lies on a filesystem of type '%s', which"
                    " cannot be copied from here",
                    creation->source.name, pairs_get(&creation->source.options, "type"));
    /* Unless it is told otherwise, a copy stays where blocks can be shared. */
    if (pairs_get(&draft->volume.options, "pool") == NULL) {
        draft->volume.pool_id = creation->source.pool_id;
        draft->volume.pool_name = creation->source.pool_name;
    }
    if (space_check(task, draft->volume.pool_id,
                    arena_printf(task->mem, "clone '%s'", draft->volume.name), err) < 0)
        return -1;
    inherit_limit(task, creation);
    return note_parent(task, creation);
}

/* A copy of a limited volume is limited, unless it is told otherwise. */
static void inherit_limit(struct task *task, struct creation *creation)
{
    static const char *const names[] = { "size", "inodes" };
    struct pairs *options = &creation->draft.volume.options;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = pairs_get(&creation->source.options, names[i]);
        if (value != NULL && pairs_get(options, names[i]) == NULL)
            pairs_set(options, task->mem, names[i], value);
    }
}

static int note_parent(struct task *task, struct creation *creation)
{
    struct volume *volume = &creation->draft.volume;
    cleanup_json json_t *parent = json_object();

    json_set(parent, "volume", json_text(creation->source.name));
    json_set(parent, "volume_id", json_text(creation->source.id));
    if (creation->draft.from_snapshot != NULL) {
        json_set(parent, "snapshot", json_text(creation->snapshot.name));
        json_set(parent, "snapshot_id", json_text(creation->snapshot.id));
    }
    volume->parent = json_write(task->mem, parent);
    volume->is_seeded = creation->source.is_seeded;
    volume->seeded_from = creation->source.seeded_from;
    return 0;
}

static int run(struct task *task, struct creation *creation, struct error *err)
{
    struct volume *volume = &creation->draft.volume;
    cleanup_op struct op op = {
        .kind = &create_kind,
        .subject = arena_printf(task->mem, "volume '%s'", volume->name),
        .data = creation,
        .result = json_object(),
    };

    json_set(op.result, "id", json_text(volume->id));
    int rc = op_run(task, &op, err);
    claim_leave(&creation->claim);
    if (rc < 0)
        return -1;
    if (pairs_get(&volume->options, "snapshots") != NULL) /* it came with a policy */
        alarm_ring(&task->service->alarm);
    if (!op.is_replayed)
        return 0;
    const char *id = "";
    if (json_get_text(op.result, "id", task->mem, &id, err) < 0)
        return -1;
    return volume_get(task, id, volume, err);
}

int creation_plan(struct task *task, const struct volume_spec *spec, struct creation *creation,
                  struct error *err)
{
    struct volume existing;

    *creation = (struct creation){ .cost = COST_O1 };
    if (volume_draft(task, spec, &creation->draft, err) < 0 || find_source(task, creation, err) < 0)
        return -1;
    const char *name = creation->draft.volume.name;
    int found = store_volume_find(task->db, task->mem, name, &existing, err);
    if (found > 0 && strcmp(existing.name, name) == 0)
        return fail(err, ERR_EXISTS, "volume '%s' exists already", name);
    return found < 0 ? -1 : 0;
}

int creation_insert(struct task *task, const struct creation *creation, struct error *err)
{
    return volume_draft_insert(task, &creation->draft, err);
}

void creation_discard(struct task *task, const struct creation *creation)
{
    volume_data_discard(task, creation->draft.volume.pool_id, creation->draft.volume.data_id);
}

void creation_done(struct creation *creation)
{
    claim_leave(&creation->claim);
}

static int build(struct task *task, struct op *op, struct error *err)
{
    return creation_build(task, op->data, err);
}

int creation_build(struct task *task, struct creation *creation, struct error *err)
{
    struct volume_draft *draft = &creation->draft;

    if (draft->from_volume == NULL)
        return volume_data_create(task, &draft->volume, &draft->shape, &creation->claim, err);
    claim_enter(&creation->claim, draft->volume.data_id);
    return build_copy(task, creation, err);
}

static int build_copy(struct task *task, struct creation *creation, struct error *err)
{
    const struct volume_draft *draft = &creation->draft;
    const struct driver_pool *source_pool = NULL;
    const struct driver_pool *pool = NULL;

    if (pool_open(task, creation->source.pool_id, &source_pool, err) < 0 ||
        pool_open(task, draft->volume.pool_id, &pool, err) < 0)
        return -1;
    creation->cost = volume_data_cost(pool, source_pool);
    if (draft->from_snapshot == NULL) {
        if (copy_live(task, creation, source_pool, err) < 0)
            return -1;
    } else {
        cleanup_fd int source_fd =
            snapshot_source_open(source_pool, &creation->snapshot, draft->volume.pool_id, err);
        if (source_fd < 0 ||
            volume_data_clone(task, &draft->volume, source_fd, source_pool, 0, err) < 0)
            return -1;
    }
    return volume_shape_is_given(&draft->shape)
               ? volume_data_shape(pool, draft->volume.data_id, &draft->shape, err)
               : 0;
}

static int copy_live(struct task *task, struct creation *creation, const struct driver_pool *pool,
                     struct error *err)
{
    cleanup_fence struct fence fence = { 0 };
    int64_t pause_ns = 0;
    const char *target_pool_id = creation->draft.volume.pool_id;
    cleanup_fd int tree_fd = volume_source_open(pool, &creation->source, pool->id, err);

    const struct fence_target target = { &creation->source, tree_fd };
    if (tree_fd < 0 || fence_raise(task, &target, 1, 0, &fence, err) < 0)
        return -1;
    cleanup_fd int source_fd = volume_source_open(pool, &creation->source, target_pool_id, err);
    if (source_fd < 0)
        return -1;
    int rc =
        volume_data_clone(task, &creation->draft.volume, source_fd, pool, fence.deadline_ms, err);
    return rc < 0 ? -1 : fence_lower(&fence, &pause_ns, err);
}

static int publish(struct task *task, struct op *op, struct error *err)
{
    return creation_insert(task, op->data, err);
}

static int discard(struct task *task, struct op *op, struct error *err)
{
    (void)err;
    creation_discard(task, op->data);
    return 0;
}
