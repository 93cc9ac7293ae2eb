/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking the right to write from a container that runs.  The kernel refuses to make a mount
 * read-only while a file of it is open for writing, or a write is under way; those under way end
 * when the container is frozen, an open file does not.  Then the container is stopped, if it may
 * be.
 */
#include <string.h>

#include "core/attachment/lease.h"
#include "core/attachment/lease_change.h"
#include "core/container/container.h"
#include "core/fence/freezer.h"
#include "core/fence/liveness.h"
#include "core/operation/lease_kinds.h"
#include "core/service.h"
#include "core/volume/volume.h"
#include "core/volume/volume_event.h"
#include "store/attachment.h"
#include "store/lease.h"
#include "store/volume.h"

#define FREEZE_TIMEOUT_MS 3000
#define STOP_TIMEOUT_S    10

static bool is_meant(const struct attachment_user *user, const char *container_id);
static int check_spec(const struct fence_spec *spec, struct error *err);
static int fence_one(struct task *task, struct lease_change *change, const char *how,
                     struct fenced *fenced, struct error *err);
static int hold(struct task *task, struct lease_change *change, struct error *err);
static int stop(struct task *task, struct lease_change *change, struct error *err);
static int fence_prepare(struct task *task, struct op *op, struct error *err);
static int fence_apply(struct task *task, struct op *op, struct error *err);
static int demote_frozen(struct task *task, const struct lease_change *change, struct error *err);
static int check_demoted(struct task *task, const struct lease_change *change, struct error *err);
static int fence_finish(struct task *task, struct op *op, struct error *err);
static int fence_revert(struct task *task, struct op *op, struct error *err);
static int stopped_finish(struct task *task, struct op *op, struct error *err);

const struct op_kind lease_fence_kind = {
    .name = "lease.fence",
    .prepare = fence_prepare,
    .apply = fence_apply,
    .finish = fence_finish,
    .revert = fence_revert,
    .abandon = lease_change_take_back,
    .load = lease_change_load,
};

/* Of a container that was stopped: what is left is the epoch. */
static const struct op_kind stopped_kind = { .name = "lease.end", .finish = stopped_finish };

int volume_fence(struct task *task, const char *ref, const struct fence_spec *spec,
                 struct fenced **list, size_t *count, struct error *err)
{
    struct attachment_user *users = NULL;
    const char *container_id = NULL;
    struct volume volume;
    size_t done = 0;

    if (check_spec(spec, err) < 0 || volume_get(task, ref, &volume, err) < 0 ||
        (spec->container != NULL &&
         container_resolve(task, spec->container, &container_id, err) < 0))
        return -1;
    int found = store_attachment_users(task->db, task->mem, volume.id, &users, err);
    if (found < 0)
        return -1;
    struct fenced *fenced = arena_array(task->mem, (size_t)found + 1, sizeof(*fenced));
    for (int i = 0; i < found; i++) {
        struct lease_change change = {
            .volume = volume,
            .container_id = users[i].container_id,
            .container_name = users[i].container_name,
            .from = users[i].lease != NULL ? users[i].lease : "",
        };
        bool is_known =
            done > 0 && strcmp(fenced[done - 1].container_id, users[i].container_id) == 0;
        if (is_known || !is_meant(&users[i], container_id))
            continue;
        if (fence_one(task, &change, spec->how, &fenced[done], err) < 0)
            return -1;
        done++;
    }
    if (done == 0 && container_id != NULL)
        return fail(err, ERR_CONFLICT, "container '%s' does not write to volume '%s'",
                    spec->container, volume.name);
    *list = fenced;
    *count = done;
    return 0;
}

/* It can write now; container_id NULL: whoever it is. */
static bool is_meant(const struct attachment_user *user, const char *container_id)
{
    return user->mode != ACCESS_RO && !user->shows_snapshot && attachment_user_is_live(user) &&
           (container_id == NULL || strcmp(container_id, user->container_id) == 0);
}

static int check_spec(const struct fence_spec *spec, struct error *err)
{
    static const char *const ways[] = { "auto", "read-only", "stop" };

    for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
        if (strcmp(spec->how, ways[i]) == 0)
            return 0;
    return fail(err, ERR_INVALID, "invalid way to fence: '%s' is none of auto, read-only, stop",
                spec->how);
}

static int fence_one(struct task *task, struct lease_change *change, const char *how,
                     struct fenced *fenced, struct error *err)
{
    bool is_stopped = strcmp(how, "stop") == 0;

    if (!is_stopped && hold(task, change, err) < 0) {
        if (err->code != ERR_BUSY || strcmp(how, "auto") != 0)
            return -1;
        is_stopped = true;
    }
    if (is_stopped && stop(task, change, err) < 0)
        return -1;
    *fenced = (struct fenced){
        .container_id = change->container_id,
        .container_name = change->container_name,
        .is_stopped = is_stopped,
        .epoch = change->to.epoch,
    };
    return 0;
}

static int hold(struct task *task, struct lease_change *change, struct error *err)
{
    cleanup_op struct op op = {
        .kind = &lease_fence_kind,
        .subject = arena_printf(task->mem, "volume '%s' in container '%s'", change->volume.name,
                                change->container_name),
        .data = change,
    };

    return op_run(task, &op, err);
}

static int stop(struct task *task, struct lease_change *change, struct error *err)
{
    bool changed;
    cleanup_op struct op op = {
        .kind = &stopped_kind,
        .subject = arena_printf(task->mem, "volume '%s' in container '%s'", change->volume.name,
                                change->container_name),
        .data = change,
    };

    if (container_stop(task, change->container_id, NULL, STOP_TIMEOUT_S, &changed, err) < 0)
        return -1;
    return op_run(task, &op, err);
}

static int fence_prepare(struct task *task, struct op *op, struct error *err)
{
    struct lease_change *change = op->data;
    struct lease *list = NULL;
    int count = store_lease_list(task->db, task->mem, change->volume.id, &list, err);

    if (count < 0)
        return -1;
    change->from = "";
    for (int i = 0; i < count; i++) {
        if (strcmp(list[i].container_id, change->container_id) != 0)
            continue;
        change->from = list[i].state;
        change->from_epoch = list[i].epoch;
    }
    lease_change_note(task, op);
    return lease_change_write(task, change, "fenced", err);
}

static int fence_apply(struct task *task, struct op *op, struct error *err)
{
    const struct lease_change *change = op->data;
    int rc = lease_change_mounts(task, change, true, err);

    if (rc < 0 && err->code == ERR_BUSY)
        rc = demote_frozen(task, change, err);
    if (rc < 0)
        return -1;
    return check_demoted(task, change, err);
}

static int demote_frozen(struct task *task, const struct lease_change *change, struct error *err)
{
    const struct freezer *freezer = task->service->freezer;
    struct error ignored;
    void *lease = NULL;
    int64_t pause_ns;

    if (freezer == NULL)
        return -1;
    if (freezer->freeze(task, change->container_id, FREEZE_TIMEOUT_MS, &lease, &ignored) < 0)
        return -1; /* the first error is the one to tell */
    int rc = lease_change_mounts(task, change, true, err);
    (void)freezer->thaw(task, lease, &pause_ns, &ignored); /* it runs again in any case */
    return rc;
}

/* A container that may mount can have mounted it elsewhere too. */
static int check_demoted(struct task *task, const struct lease_change *change, struct error *err)
{
    struct mount_table table = { 0 };
    struct live_user *users = NULL;

    if (mount_table_read(task->mem, &table, err) < 0)
        return -1;
    int count = liveness_find(task, &table, &change->volume, &users, err);
    for (int i = 0; i < count; i++)
        if (users[i].container_id != NULL && !users[i].is_read_only &&
            strcmp(users[i].container_id, change->container_id) == 0)
            return fail(err, ERR_BUSY,
                        "container '%s' has volume '%s' mounted at '%s' too, where it can write",
                        change->container_name, change->volume.name, users[i].target);
    return count < 0 ? -1 : 0;
}

static int fence_finish(struct task *task, struct op *op, struct error *err)
{
    const struct lease_change *change = op->data;
    struct pairs more = { 0 };

    pairs_set(&more, task->mem, "container", change->container_id);
    pairs_set(&more, task->mem, "how", "read-only");
    return volume_event(task, "fence", &change->volume, &more, err);
}

/* Of several mounts, some may have been made read-only. */
static int fence_revert(struct task *task, struct op *op, struct error *err)
{
    const struct lease_change *change = op->data;

    if (strcmp(change->from, "standby") == 0 || strcmp(change->from, "fenced") == 0)
        return 0;
    if (lease_change_mounts(task, change, false, err) < 0 && err->code != ERR_CONFLICT &&
        err->code != ERR_NOT_FOUND)
        return -1;
    return 0;
}

static int stopped_finish(struct task *task, struct op *op, struct error *err)
{
    struct lease_change *change = op->data;
    struct pairs more = { 0 };

    if (store_rule_advance(task->db, change->volume.id, &change->to.epoch, err) < 0)
        return -1;
    pairs_set(&more, task->mem, "container", change->container_id);
    pairs_set(&more, task->mem, "how", "stop");
    return volume_event(task, "fence", &change->volume, &more, err);
}
