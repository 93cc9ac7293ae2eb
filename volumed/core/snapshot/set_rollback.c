/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rolling all volumes of a set back in one operation.  The steps of each are rollback.c's; all
 * clones are made before the first volume is touched, and one transaction changes all rows.
 */
#include <string.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "core/fence/liveness.h"
#include "core/operation/op.h"
#include "core/operation/storage_kinds.h"
#include "core/snapshot/set.h"
#include "core/snapshot/snapshot_name.h"
#include "store/set.h"
#include "store/snapshot.h"
#include "store/volume.h"

static int rehearse(struct task *task, const struct set_rollback *rollback, struct error *err);
static int check_idle(struct task *task, const struct set_rollback *rollback, struct error *err);
static int read_table(struct task *task, const struct set_rollback *rollback,
                      struct mount_table *table, struct error *err);
static int check_members(struct task *task, const struct snapshot_set *set, struct error *err);
static const char *safety_name_of_now(struct task *task, const struct snapshot_set *set);
static bool is_taken(struct task *task, const struct snapshot_set *set, const char *name);
static void make_safety(struct task *task, struct set_rollback *rollback, const char *id);
static int prepare(struct task *task, struct op *op, struct error *err);
static int load(struct task *task, struct op *op, struct error *err);
static int apply(struct task *task, struct op *op, struct error *err);
static int finish(struct task *task, struct op *op, struct error *err);
static int revert(struct task *task, struct op *op, struct error *err);

const struct op_kind set_rollback_kind = {
    .name = "set.rollback",
    .prepare = prepare,
    .load = load,
    .apply = apply,
    .finish = finish,
    .revert = revert,
};

int set_rollback(struct task *task, const char *ref, bool is_dry_run, struct snapshot_set *safety,
                 struct error *err)
{
    struct set_rollback rollback;
    struct snapshot_set set;

    if (!is_dry_run)
        return set_rollback_as(task, ref, NULL, safety, err);
    if (set_get(task, ref, &set, err) < 0 ||
        set_rollback_plan(task, &set, NULL, &rollback, err) < 0)
        return -1;
    return rehearse(task, &rollback, err);
}

int set_rollback_as(struct task *task, const char *ref, const char *safety_name,
                    struct snapshot_set *safety, struct error *err)
{
    struct set_rollback rollback;
    struct snapshot_set set;

    if (set_get(task, ref, &set, err) < 0 ||
        set_rollback_plan(task, &set, safety_name, &rollback, err) < 0)
        return -1;
    cleanup_op struct op op = {
        .kind = &set_rollback_kind,
        .subject = arena_printf(task->mem, "set '%s'", set.name),
        .objects = { arena_printf(task->mem, "set:%s", set.id) },
        .data = &rollback,
        .result = json_object(),
    };
    for (size_t i = 0; i < rollback.count; i++)
        op.objects[i + 1] = arena_printf(task->mem, "volume:%s", rollback.members[i].volume.id);
    json_set(op.result, "safety", json_text(rollback.safety.id));
    if (op_run(task, &op, err) < 0)
        return -1;
    const char *id = rollback.safety.id;
    if (json_get_text(op.result, "safety", task->mem, &id, err) < 0)
        return -1;
    return set_get(task, id, safety, err);
}

int set_rollback_plan(struct task *task, const struct snapshot_set *set, const char *safety_name,
                      struct set_rollback *rollback, struct error *err)
{
    char id[UUID_SIZE];

    if (check_members(task, set, err) < 0)
        return -1;
    *rollback = (struct set_rollback){
        .set_id = set->id,
        .set_name = set->name,
        .members = arena_array(task->mem, set->member_count, sizeof(*rollback->members)),
        .count = set->member_count,
        .safety.name = safety_name != NULL ? safety_name : safety_name_of_now(task, set),
        .safety.created_ms = clock_now_ms(),
    };
    for (size_t i = 0; i < set->member_count; i++) {
        struct volume volume;
        if (store_volume_find_id(task->db, task->mem, set->members[i].volume_id, &volume, err) <= 0)
            return fail(err, ERR_CONFLICT, "volume '%s' of set '%s' is no more",
                        set->members[i].volume_name, set->name);
        rollback_plan(task, &volume, &set->members[i], rollback->safety.name,
                      &rollback->members[i]);
    }
    uuid_make(id);
    make_safety(task, rollback, arena_strdup(task->mem, id));
    return 0;
}

int set_rollback_prepare(struct task *task, struct set_rollback *rollback, struct error *err)
{
    struct snapshot_set now;

    if (set_get(task, rollback->set_id, &now, err) < 0)
        return -1;
    if (now.member_count != rollback->count)
        return fail(err, ERR_BUSY, "set '%s' has changed; try again", now.name);
    for (size_t i = 0; i < rollback->count; i++)
        if (rollback_prepare(task, &rollback->members[i], err) < 0)
            return -1;
    return 0;
}

json_t *set_rollback_note(const struct set_rollback *rollback)
{
    json_t *note = json_object();
    json_t *members = json_array();

    json_set(note, "set", json_text(rollback->set_id));
    json_set(note, "set_name", json_text(rollback->set_name));
    json_set(note, "safety", json_text(rollback->safety.id));
    json_set(note, "safety_name", json_text(rollback->safety.name));
    json_set(note, "created_ms", json_integer(rollback->safety.created_ms));
    for (size_t i = 0; i < rollback->count; i++)
        json_add(members, rollback_note(&rollback->members[i]));
    json_set(note, "members", members);
    return note;
}

int set_rollback_load(struct task *task, const json_t *note, struct set_rollback *rollback,
                      struct error *err)
{
    const json_t *members = json_member(note, "members");
    struct snapshot_set *safety = &rollback->safety;
    const char *id = NULL;
    struct arena *mem = task->mem;

    *rollback = (struct set_rollback){ .count = json_array_size(members) };
    if (json_get_text(note, "set", mem, &rollback->set_id, err) < 0 ||
        json_get_text(note, "set_name", mem, &rollback->set_name, err) < 0 ||
        json_get_text(note, "safety", mem, &id, err) < 0 ||
        json_get_text(note, "safety_name", mem, &safety->name, err) < 0 ||
        json_get_int(note, "created_ms", &safety->created_ms, err) < 0)
        return -1;
    rollback->members = arena_array(mem, rollback->count + 1, sizeof(*rollback->members));
    for (size_t i = 0; i < rollback->count; i++)
        if (rollback_load(task, json_array_get(members, i), &rollback->members[i], err) < 0)
            return -1;
    make_safety(task, rollback, id);
    return 0;
}

int set_rollback_apply(struct task *task, const struct set_rollback *rollback, struct error *err)
{
    if (check_idle(task, rollback, err) < 0)
        return -1;
    for (size_t i = 0; i < rollback->count; i++)
        if (rollback_clone(task, &rollback->members[i], err) < 0)
            return error_prefix(err, "volume '%s'", rollback->members[i].volume.name);
    for (size_t i = 0; i < rollback->count; i++)
        if (rollback_set_aside(task, &rollback->members[i], err) < 0)
            return error_prefix(err, "volume '%s'", rollback->members[i].volume.name);
    for (size_t i = 0; i < rollback->count; i++)
        if (rollback_sync(task, &rollback->members[i], err) < 0)
            return -1;
    return 0;
}

int set_rollback_finish(struct task *task, const struct set_rollback *rollback, struct error *err)
{
    const struct snapshot_set rolled = {
        .name = rollback->set_name,
        .reason = "user",
        .fence = "idle",
        .size = (int64_t)rollback->count,
    };

    if (store_set_insert(task->db, &rollback->safety, err) < 0)
        return -1;
    for (size_t i = 0; i < rollback->count; i++)
        if (rollback_finish(task, &rollback->members[i], err) < 0)
            return -1;
    return set_event(task, "create", &rollback->safety, err) < 0
               ? -1
               : set_event(task, "rollback", &rolled, err);
}

int set_rollback_revert(struct task *task, const struct set_rollback *rollback, struct error *err)
{
    for (size_t i = 0; i < rollback->count; i++)
        if (rollback_revert(task, &rollback->members[i], err) < 0)
            return -1;
    return 0;
}

static int rehearse(struct task *task, const struct set_rollback *rollback, struct error *err)
{
    struct mount_table table = { 0 };

    if (read_table(task, rollback, &table, err) < 0)
        return -1;
    for (size_t i = 0; i < rollback->count; i++)
        if (rollback_rehearse(task, &table, &rollback->members[i].volume, NULL, err) < 0)
            return -1;
    return 0;
}

static int check_idle(struct task *task, const struct set_rollback *rollback, struct error *err)
{
    struct mount_table table = { 0 };

    if (read_table(task, rollback, &table, err) < 0)
        return -1;
    for (size_t i = 0; i < rollback->count; i++)
        if (liveness_check_idle_in(task, &table, &rollback->members[i].volume, err) < 0)
            return -1;
    return 0;
}

static int read_table(struct task *task, const struct set_rollback *rollback,
                      struct mount_table *table, struct error *err)
{
    const char **names = arena_array(task->mem, rollback->count + 1, sizeof(*names));

    for (size_t i = 0; i < rollback->count; i++)
        names[i] = rollback->members[i].volume.data_id;
    return mount_table_read_for(task->mem, "volumes", names, rollback->count, table, err);
}

static int check_members(struct task *task, const struct snapshot_set *set, struct error *err)
{
    if ((int64_t)set->member_count < set->size)
        return fail(err, ERR_CONFLICT,
                    "set '%s' has %zu of the %lld snapshots it was made with: roll back single"
                    " volumes, by 'volume rollback VOLUME@%s'",
                    set->name, set->member_count, (long long)set->size, set->name);
    return store_set_check_free(task->db, set, err);
}

static const char *safety_name_of_now(struct task *task, const struct snapshot_set *set)
{
    const char *name = snapshot_name_of_time(task, "before-", clock_now_ns(), false);

    return is_taken(task, set, name) ? snapshot_name_of_time(task, "before-", clock_now_ns(), true)
                                     : name;
}

/* If it cannot be asked, the insert will tell. */
static bool is_taken(struct task *task, const struct snapshot_set *set, const char *name)
{
    struct snapshot_set other;
    struct snapshot taken;
    struct error ignored;
    int found = store_set_find(task->db, task->mem, name, &other, &ignored);

    for (size_t i = 0; found == 0 && i < set->member_count; i++)
        found = store_snapshot_find(task->db, task->mem, set->members[i].volume_id, name, &taken,
                                    &ignored);
    return found > 0;
}

static void make_safety(struct task *task, struct set_rollback *rollback, const char *id)
{
    struct snapshot_set *safety = &rollback->safety;

    safety->id = id;
    safety->reason = "safety";
    safety->fence = "idle";
    safety->containers = "[]";
    safety->size = (int64_t)rollback->count;
    safety->member_count = rollback->count;
    safety->members = arena_array(task->mem, rollback->count + 1, sizeof(*safety->members));
    for (size_t i = 0; i < rollback->count; i++) {
        rollback->members[i].safety.set_id = id;
        rollback->members[i].safety.set_name = safety->name;
        safety->members[i] = rollback->members[i].safety;
    }
}

static int prepare(struct task *task, struct op *op, struct error *err)
{
    if (set_rollback_prepare(task, op->data, err) < 0)
        return -1;
    op->note = set_rollback_note(op->data);
    return 0;
}

static int load(struct task *task, struct op *op, struct error *err)
{
    op->data = arena_alloc(task->mem, sizeof(struct set_rollback));
    return set_rollback_load(task, op->note, op->data, err);
}

static int apply(struct task *task, struct op *op, struct error *err)
{
    return set_rollback_apply(task, op->data, err);
}

static int finish(struct task *task, struct op *op, struct error *err)
{
    return set_rollback_finish(task, op->data, err);
}

static int revert(struct task *task, struct op *op, struct error *err)
{
    return set_rollback_revert(task, op->data, err);
}
