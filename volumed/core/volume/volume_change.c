/* SPDX-License-Identifier: Apache-2.0 */
/* Changes that touch the row alone: one transaction each. */
#include <string.h>

#include "core/operation/op.h"
#include "core/volume/volume.h"
#include "core/volume/volume_event.h"
#include "model/name.h"
#include "store/volume.h"

struct change {
    struct volume volume;
    const char *name;
    const struct pairs *set;
    const char *const *remove;
    bool is_protected;
};

static int run(struct task *task, const struct op_kind *kind, const char *ref,
               struct change *change, struct error *err);
static int rename_finish(struct task *task, struct op *op, struct error *err);
static int label_finish(struct task *task, struct op *op, struct error *err);
static int protect_finish(struct task *task, struct op *op, struct error *err);
static int reread(struct task *task, struct volume *volume, struct error *err);

static const struct op_kind rename_kind = { .name = "volume.rename", .finish = rename_finish };
static const struct op_kind label_kind = { .name = "volume.label", .finish = label_finish };
static const struct op_kind protect_kind = { .name = "volume.protect", .finish = protect_finish };

int volume_rename(struct task *task, const char *ref, const char *name, struct error *err)
{
    struct change change = { .name = name };

    if (name_check("volume", name, err) < 0)
        return -1;
    return run(task, &rename_kind, ref, &change, err);
}

int volume_label(struct task *task, const char *ref, const struct pairs *set,
                 const char *const *remove, struct error *err)
{
    struct change change = { .set = set, .remove = remove };

    return run(task, &label_kind, ref, &change, err);
}

int volume_protect(struct task *task, const char *ref, bool is_protected, struct error *err)
{
    struct change change = { .is_protected = is_protected };

    return run(task, &protect_kind, ref, &change, err);
}

static int run(struct task *task, const struct op_kind *kind, const char *ref,
               struct change *change, struct error *err)
{
    cleanup_op struct op seen = { .kind = kind };
    int is_seen = op_replay(task, &seen, err);

    if (is_seen != 0)
        return is_seen < 0 ? -1 : 0;
    if (volume_get(task, ref, &change->volume, err) < 0)
        return -1;
    cleanup_op struct op op = {
        .kind = kind,
        .subject = arena_printf(task->mem, "volume '%s'", change->volume.name),
        .data = change,
    };
    return op_run(task, &op, err);
}

static int rename_finish(struct task *task, struct op *op, struct error *err)
{
    struct change *change = op->data;
    struct volume *volume = &change->volume;

    if (reread(task, volume, err) < 0)
        return -1;
    struct pair old = { "old_name", volume->name };
    if (store_volume_set_name(task->db, volume->id, change->name, err) < 0) {
        if (err->code == ERR_EXISTS)
            return fail(err, ERR_EXISTS, "volume '%s' exists already", change->name);
        return -1;
    }
    volume->name = change->name;
    return volume_event(task, "rename", volume, &(struct pairs){ 1, &old }, err);
}

static int label_finish(struct task *task, struct op *op, struct error *err)
{
    struct change *change = op->data;
    struct volume *volume = &change->volume;

    if (reread(task, volume, err) < 0)
        return -1;
    for (size_t i = 0; change->remove != NULL && change->remove[i] != NULL; i++)
        pairs_remove(&volume->labels, change->remove[i]);
    for (size_t i = 0; change->set != NULL && i < change->set->count; i++)
        pairs_set(&volume->labels, task->mem, change->set->items[i].key,
                  change->set->items[i].value);
    if (store_volume_set_labels(task->db, volume->id, &volume->labels, err) < 0)
        return -1;
    return volume_event(task, "update", volume, NULL, err);
}

static int protect_finish(struct task *task, struct op *op, struct error *err)
{
    struct change *change = op->data;

    if (reread(task, &change->volume, err) < 0 ||
        store_volume_set_protected(task->db, change->volume.id, change->is_protected, err) < 0)
        return -1;
    return volume_event(task, change->is_protected ? "protect" : "unprotect", &change->volume, NULL,
                        err);
}

/* As it is now, in this transaction, and not held by an operation. */
static int reread(struct task *task, struct volume *volume, struct error *err)
{
    struct volume now;
    int found = store_volume_find_id(task->db, task->mem, volume->id, &now, err);

    if (found <= 0)
        return found < 0 ? -1 : fail(err, ERR_NOT_FOUND, "get %s: no such volume", volume->name);
    *volume = now;
    return store_volume_check_free(task->db, volume, err);
}
