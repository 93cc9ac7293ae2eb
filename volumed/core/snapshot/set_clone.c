/* SPDX-License-Identifier: Apache-2.0 */
/* Cloning all members of a set to new volumes: built one by one, published by one transaction. */

#include "core/operation/op.h"
#include "core/snapshot/set.h"
#include "core/volume/volume_creation.h"

struct cloning {
    struct creation *creations;
    size_t count;
};

static int plan(struct task *task, const struct snapshot_set *set,
                const struct set_clone_spec *spec, struct cloning *cloning, struct error *err);
static int apply(struct task *task, struct op *op, struct error *err);
static int finish(struct task *task, struct op *op, struct error *err);
static int revert(struct task *task, struct op *op, struct error *err);
static int replayed(struct task *task, const struct op *op, struct volume *volumes, size_t count,
                    struct error *err);

static const struct op_kind clone_kind = {
    .name = "set.clone",
    .apply = apply,
    .finish = finish,
    .revert = revert,
};

int set_clone(struct task *task, const char *ref, const struct set_clone_spec *spec,
              struct volume **volumes, struct error *err)
{
    struct snapshot_set set;
    struct cloning cloning = { 0 };

    if (set_get(task, ref, &set, err) < 0 || plan(task, &set, spec, &cloning, err) < 0)
        return -1;
    struct volume *made = arena_array(task->mem, cloning.count + 1, sizeof(*made));
    cleanup_op struct op op = {
        .kind = &clone_kind,
        .subject = arena_printf(task->mem, "clone of set '%s'", set.name),
        .data = &cloning,
        .result = json_object(),
    };
    json_t *ids = json_array();
    for (size_t i = 0; i < cloning.count; i++) {
        made[i] = cloning.creations[i].draft.volume;
        json_add(ids, json_text(made[i].id));
    }
    json_set(op.result, "ids", ids);
    int rc = op_run(task, &op, err);
    for (size_t i = 0; i < cloning.count; i++)
        creation_done(&cloning.creations[i]);
    if (rc < 0 || (op.is_replayed && replayed(task, &op, made, cloning.count, err) < 0))
        return -1;
    *volumes = made;
    return (int)cloning.count;
}

static int plan(struct task *task, const struct snapshot_set *set,
                const struct set_clone_spec *spec, struct cloning *cloning, struct error *err)
{
    const char *prefix = spec->prefix != NULL ? spec->prefix : "";
    const char *suffix = spec->suffix != NULL ? spec->suffix : "";

    if (*prefix == '\0' && *suffix == '\0')
        return fail(err, ERR_INVALID,
                    "the clones of set '%s' need a prefix or a suffix, to be"
                    " called other than their sources",
                    set->name);
    cloning->creations = arena_array(task->mem, set->member_count + 1, sizeof(*cloning->creations));
    for (size_t i = 0; i < set->member_count; i++) {
        const struct snapshot *member = &set->members[i];
        struct volume_spec volume = VOLUME_SPEC_EMPTY;
        volume.name = arena_printf(task->mem, "%s%s%s", prefix, member->volume_name, suffix);
        volume.labels = spec->labels;
        volume.pool = spec->pool;
        volume.from_volume = member->volume_id;
        volume.from_snapshot = member->id;
        if (creation_plan(task, &volume, &cloning->creations[i], err) < 0 &&
            (task->idempotency_key == NULL || err->code != ERR_EXISTS)) /* else its own, before */
            return -1;
        cloning->count++;
    }
    return 0;
}

static int apply(struct task *task, struct op *op, struct error *err)
{
    const struct cloning *cloning = op->data;

    for (size_t i = 0; i < cloning->count; i++)
        if (creation_build(task, &cloning->creations[i], err) < 0)
            return error_prefix(err, "cannot make volume '%s'",
                                cloning->creations[i].draft.volume.name);
    return 0;
}

static int finish(struct task *task, struct op *op, struct error *err)
{
    const struct cloning *cloning = op->data;

    for (size_t i = 0; i < cloning->count; i++)
        if (creation_insert(task, &cloning->creations[i], err) < 0)
            return -1;
    return 0;
}

static int revert(struct task *task, struct op *op, struct error *err)
{
    const struct cloning *cloning = op->data;

    (void)err;
    for (size_t i = 0; i < cloning->count; i++)
        creation_discard(task, &cloning->creations[i]);
    return 0;
}

static int replayed(struct task *task, const struct op *op, struct volume *volumes, size_t count,
                    struct error *err)
{
    const json_t *ids = json_object_get(op->result, "ids");

    for (size_t i = 0; i < count; i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        if (id == NULL || volume_get(task, id, &volumes[i], err) < 0)
            return fail(err, ERR_NOT_FOUND, "a clone that was made has been removed since");
    }
    return 0;
}
