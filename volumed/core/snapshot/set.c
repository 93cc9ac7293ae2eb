/* SPDX-License-Identifier: Apache-2.0 */
/* Making (core/snapshot/cut.h), listing and removing sets.  Rolling back is set_rollback.c's. */
#include "core/snapshot/set.h"

#include <string.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "core/attachment/attachment_snapshot.h"
#include "core/container/container.h"
#include "core/operation/event.h"
#include "core/operation/op.h"
#include "core/snapshot/cut.h"
#include "core/volume/trash.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_event.h"
#include "model/name.h"
#include "store/set.h"
#include "store/snapshot.h"
#include "store/volume.h"

struct making {
    const struct set_spec *spec;
    struct snapshot_set set;
    struct snapshot pattern; /* of the members */
    struct cut cut;
};

struct removing {
    struct snapshot_set set;
    struct claim *claims;
    bool is_for_trash;
};

static int plan(struct task *task, struct making *making, struct error *err);
static int check_name(struct task *task, const char *name, struct error *err);
static int add_volume(struct task *task, struct making *making, const char *ref, struct error *err);
static int add_container(struct task *task, struct making *making, const char *ref,
                         json_t *containers, struct error *err);
static int create(struct task *task, void *context, struct error *err);
static int create_apply(struct task *task, struct op *op, struct error *err);
static int create_finish(struct task *task, struct op *op, struct error *err);
static int create_revert(struct task *task, struct op *op, struct error *err);
static void take_members(struct task *task, struct making *making);
static int check_removable(struct task *task, const struct snapshot_set *set, struct error *err);
static int remove_finish(struct task *task, struct op *op, struct error *err);
static void remove_after(struct task *task, struct op *op, bool is_done);

static const struct op_kind create_kind = {
    .name = "set.create",
    .apply = create_apply,
    .finish = create_finish,
    .revert = create_revert,
};

static const struct op_kind remove_kind = {
    .name = "set.remove",
    .finish = remove_finish,
    .after = remove_after,
};

int set_create(struct task *task, const struct set_spec *spec, struct snapshot_set *set,
               struct error *err)
{
    struct making making = { .spec = spec };
    struct task inner = *task;
    struct hook_plan hooks;

    /* The key is the outer operation's, and is not to be taken for this one's. */
    if (spec->holder != NULL)
        inner.idempotency_key = NULL;
    int rc = plan(&inner, &making, err);
    if (rc == 0)
        rc = hook_plan(&inner, &spec->hooks, &making.cut, &hooks, err);
    if (rc == 0)
        rc = hook_around(&inner, &hooks, create, &making, err);
    cut_done(&making.cut);
    if (rc < 0)
        return -1;
    *set = making.set;
    hook_warn(task, &hooks, &set->warnings);
    return 0;
}

int set_get(struct task *task, const char *ref, struct snapshot_set *set, struct error *err)
{
    int found = store_set_find(task->db, task->mem, ref, set, err);

    if (found <= 0)
        return found < 0 ? -1 : fail(err, ERR_NOT_FOUND, "no such set: %s", ref);
    int count = store_snapshot_list_set(task->db, task->mem, set->id, &set->members, err);
    if (count < 0)
        return -1;
    set->member_count = (size_t)count;
    return 0;
}

int set_list(struct task *task, struct snapshot_set **list, struct error *err)
{
    int count = store_set_list(task->db, task->mem, list, err);

    for (int i = 0; i < count; i++) {
        struct snapshot_set *set = &(*list)[i];
        int members = store_snapshot_list_set(task->db, task->mem, set->id, &set->members, err);
        if (members < 0)
            return -1;
        set->member_count = (size_t)members;
    }
    return count;
}

int set_remove(struct task *task, const char *ref, const struct set_remove_spec *spec,
               struct error *err)
{
    struct removing removing = { .is_for_trash = !spec->is_now && trash_is_on(task) };
    cleanup_op struct op seen = { .kind = &remove_kind };
    int is_seen = op_replay(task, &seen, err);

    if (is_seen != 0)
        return is_seen < 0 ? -1 : 0;
    if (set_get(task, ref, &removing.set, err) < 0 || check_removable(task, &removing.set, err) < 0)
        return -1;
    if (spec->is_dry_run)
        return 0;
    const struct snapshot_set *set = &removing.set;
    cleanup_op struct op op = {
        .kind = &remove_kind,
        .subject = arena_printf(task->mem, "set '%s'", set->name),
        .data = &removing,
    };
    removing.claims = arena_array(task->mem, set->member_count + 1, sizeof(*removing.claims));
    for (size_t i = 0; i < set->member_count; i++)
        claim_enter(&removing.claims[i], set->members[i].id);
    int rc = op_run(task, &op, err);
    for (size_t i = 0; i < set->member_count; i++)
        claim_leave(&removing.claims[i]);
    return rc;
}

int set_event(struct task *task, const char *action, const struct snapshot_set *set,
              struct error *err)
{
    struct pair items[] = {
        { "reason", set->reason },
        { "fence", set->fence },
        { "size", arena_printf(task->mem, "%lld", (long long)set->size) },
        { "pause_ns", arena_printf(task->mem, "%lld", (long long)set->pause_ns) },
    };

    return event_emit(task, "set", action, set->name, &(struct pairs){ ARRAY_SIZE(items), items },
                      err);
}

static int plan(struct task *task, struct making *making, struct error *err)
{
    const struct set_spec *spec = making->spec;
    cleanup_json json_t *containers = json_array();
    char id[UUID_SIZE];

    if (check_name(task, spec->name, err) < 0)
        return -1;
    uuid_make(id);
    making->set = (struct snapshot_set){
        .id = arena_strdup(task->mem, id),
        .name = spec->name,
        .reason = spec->reason != NULL ? spec->reason : "user",
        .labels = spec->labels,
        .created_ms = clock_now_ms(),
    };
    making->pattern = (struct snapshot){
        .name = spec->name,
        .reason = making->set.reason,
        .labels = spec->labels,
        .set_id = making->set.id,
        .set_name = spec->name,
    };
    making->cut.freeze_timeout_ms = spec->freeze_timeout_ms;
    making->cut.holder = spec->holder;
    for (size_t i = 0; spec->volumes != NULL && spec->volumes[i] != NULL; i++)
        if (add_volume(task, making, spec->volumes[i], err) < 0)
            return -1;
    for (size_t i = 0; spec->containers != NULL && spec->containers[i] != NULL; i++)
        if (add_container(task, making, spec->containers[i], containers, err) < 0)
            return -1;
    if (making->cut.count == 0)
        return fail(err, ERR_INVALID,
                    "set '%s' has no volumes: name volumes, or containers that"
                    " have some",
                    spec->name);
    making->set.containers = json_write(task->mem, containers);
    making->set.size = (int64_t)making->cut.count;
    return 0;
}

static int check_name(struct task *task, const char *name, struct error *err)
{
    struct snapshot_set taken;

    if (name == NULL)
        return fail(err, ERR_INVALID, "a set needs a name");
    if (name_check("set", name, err) < 0)
        return -1;
    int found =
        task->idempotency_key != NULL ? 0 : store_set_find(task->db, task->mem, name, &taken, err);
    if (found > 0)
        return fail(err, ERR_EXISTS, "set '%s' exists already", name);
    return found;
}

/* Once, however often it is named. */
static int add_volume(struct task *task, struct making *making, const char *ref, struct error *err)
{
    struct volume volume;

    if (volume_get(task, ref, &volume, err) < 0)
        return -1;
    for (size_t i = 0; i < making->cut.count; i++)
        if (strcmp(making->cut.members[i].volume.id, volume.id) == 0)
            return 0;
    return cut_add(task, &making->cut, &volume, &making->pattern, err);
}

static int add_container(struct task *task, struct making *making, const char *ref,
                         json_t *containers, struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (container_get(task, ref, &container, err) < 0)
        return -1;
    for (size_t i = 0; i < container.attachment_count; i++)
        if (!attachment_shows_snapshot(&container.attachments[i]) &&
            add_volume(task, making, container.attachments[i].volume_id, err) < 0)
            return error_prefix(err, "container '%s'", container.name);
    json_t *entry = json_object();
    json_set(entry, "id", json_text(container.id));
    json_set(entry, "name", json_text(container.name));
    json_add(containers, entry);
    return 0;
}

/* As the hooks' body: 'context' is the making. */
static int create(struct task *task, void *context, struct error *err)
{
    struct making *making = context;
    cleanup_op struct op op = {
        .kind = &create_kind,
        .subject = arena_printf(task->mem, "set '%s'", making->set.name),
        .data = making,
        .result = json_object(),
    };
    const char *id = making->set.id;

    json_set(op.result, "id", json_text(id));
    if (op_run(task, &op, err) < 0)
        return -1;
    if (op.is_replayed)
        return json_get_text(op.result, "id", task->mem, &id, err) < 0
                   ? -1
                   : set_get(task, id, &making->set, err);
    take_members(task, making);
    return 0;
}

static int create_apply(struct task *task, struct op *op, struct error *err)
{
    struct making *making = op->data;

    if (cut_take(task, &making->cut, err) < 0)
        return -1;
    making->set.fence = making->cut.fence.kind;
    making->set.pause_ns = making->cut.pause_ns;
    return 0;
}

static int create_finish(struct task *task, struct op *op, struct error *err)
{
    struct making *making = op->data;

    if (store_set_insert(task->db, &making->set, err) < 0)
        return err->code != ERR_EXISTS
                   ? -1
                   : fail(err, ERR_EXISTS, "set '%s' exists already", making->set.name);
    if (cut_insert(task, &making->cut, err) < 0)
        return -1;
    return set_event(task, "create", &making->set, err);
}

static int create_revert(struct task *task, struct op *op, struct error *err)
{
    struct making *making = op->data;

    (void)err;
    cut_discard(task, &making->cut);
    return 0;
}

static void take_members(struct task *task, struct making *making)
{
    struct snapshot_set *set = &making->set;

    set->member_count = making->cut.count;
    set->members = arena_array(task->mem, set->member_count, sizeof(*set->members));
    for (size_t i = 0; i < set->member_count; i++)
        set->members[i] = making->cut.members[i].snapshot;
    set->warnings = making->cut.fence.unfenced;
}

static int check_removable(struct task *task, const struct snapshot_set *set, struct error *err)
{
    if (store_set_check_free(task->db, set, err) < 0)
        return -1;
    for (size_t i = 0; i < set->member_count; i++) {
        const struct volume volume = { .id = set->members[i].volume_id,
                                       .name = set->members[i].volume_name };
        if (store_volume_check_free(task->db, &volume, err) < 0 ||
            snapshot_check_unpinned(task, &set->members[i], err) < 0)
            return -1;
    }
    return 0;
}

/* The row goes with the last member's. */
static int remove_finish(struct task *task, struct op *op, struct error *err)
{
    const struct removing *removing = op->data;
    const struct snapshot_set *set = &removing->set;

    if (check_removable(task, set, err) < 0)
        return -1;
    for (size_t i = 0; i < set->member_count; i++)
        if ((removing->is_for_trash
                 ? trash_put_snapshot(task, &set->members[i], err)
                 : store_snapshot_delete(task->db, set->members[i].id, err)) < 0 ||
            snapshot_event(task, "destroy", &set->members[i], err) < 0)
            return -1;
    return set_event(task, "destroy", set, err);
}

static void remove_after(struct task *task, struct op *op, bool is_done)
{
    const struct removing *removing = op->data;

    if (is_done && removing->is_for_trash)
        trash_notice(task);
    for (size_t i = 0; is_done && !removing->is_for_trash && i < removing->set.member_count; i++)
        volume_data_discard(task, removing->set.members[i].pool_id, removing->set.members[i].id);
}
