/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who writes after the writer.  The row is first: from its commit on, nobody else gets the lease;
 * then the mount is made writable.  If that fails, the row is as it was.
 */
#include <string.h>

#include "base/log.h"
#include "core/attachment/attachment.h"
#include "core/attachment/lease.h"
#include "core/attachment/lease_change.h"
#include "core/attachment/lease_wait.h"
#include "core/operation/lease_kinds.h"
#include "core/volume/volume.h"
#include "core/volume/volume_event.h"
#include "store/attachment.h"
#include "store/lease.h"
#include "store/plugin_mount.h"
#include "store/volume.h"

static int promote(struct task *task, const char *volume_id, struct error *err);
static int find_successor(struct task *task, struct lease_change *change, struct error *err);
static int has_writer(struct task *task, const char *volume_id, struct error *err);
static bool may_succeed(const struct lease *lease, const struct volume_rule *rule);
static int promote_prepare(struct task *task, struct op *op, struct error *err);
static int promote_apply(struct task *task, struct op *op, struct error *err);
static int promote_finish(struct task *task, struct op *op, struct error *err);

const struct op_kind lease_promote_kind = {
    .name = "lease.promote",
    .prepare = promote_prepare,
    .apply = promote_apply,
    .finish = promote_finish,
    .abandon = lease_change_take_back,
    .load = lease_change_load,
};

void lease_succeed(struct task *task, const char *volume_id)
{
    struct error err;

    if (promote(task, volume_id, &err) < 0)
        log_warn("cannot promote a successor volume=%s error=\"%s\"", volume_id, err.message);
}

void lease_succeed_after(struct task *task, const char *container_id)
{
    struct attachment *list = NULL;
    size_t count = 0;
    struct error err;

    if (attachment_list(task, container_id, &list, &count, &err) < 0) {
        log_warn("cannot look for successors container=%s error=\"%s\"", container_id, err.message);
        return;
    }
    for (size_t i = 0; i < count; i++)
        lease_succeed(task, list[i].volume_id);
}

int lease_tend(struct task *task, struct error *err)
{
    const char *const *volumes = NULL;
    int count = store_lease_volumes_waiting(task->db, task->mem, &volumes, err);

    for (int i = 0; i < count; i++)
        lease_succeed(task, volumes[i]);
    return count < 0 ? -1 : 0;
}

static int promote(struct task *task, const char *volume_id, struct error *err)
{
    struct lease_change change = { 0 };
    int found = store_volume_find_id(task->db, task->mem, volume_id, &change.volume, err);

    if (found > 0)
        found = find_successor(task, &change, err);
    if (found <= 0)
        return found;
    cleanup_op struct op op = {
        .kind = &lease_promote_kind,
        .subject = arena_printf(task->mem, "volume '%s' to container '%s'", change.volume.name,
                                change.container_name),
        .data = &change,
    };
    if (op_run(task, &op, err) == 0)
        return 0;
    /* Somebody else was faster, or it has ended: the next end will tell again. */
    return err->code == ERR_CONFLICT || err->code == ERR_BUSY ? 0 : -1;
}

/* 1: change names one; 0: there is none, or no need. */
static int find_successor(struct task *task, struct lease_change *change, struct error *err)
{
    const char *volume_id = change->volume.id;
    struct volume_rule rule;
    struct lease *list = NULL;
    int is_taken = has_writer(task, volume_id, err);
    int count = store_lease_list(task->db, task->mem, volume_id, &list, err);

    if (is_taken < 0 || count < 0 || store_rule_find(task->db, volume_id, &rule, err) < 0)
        return -1;
    if (is_taken > 0 || rule.access == VOLUME_READ_ONLY || lease_is_waited_for(task, volume_id))
        return 0;
    for (int i = 0; i < count; i++) {
        if (!may_succeed(&list[i], &rule))
            continue;
        change->container_id = list[i].container_id;
        change->container_name = list[i].container_name;
        change->from = list[i].state;
        change->from_epoch = list[i].epoch;
        return 1;
    }
    return 0;
}

static int has_writer(struct task *task, const char *volume_id, struct error *err)
{
    struct attachment_user *users = NULL;
    int64_t engines = 0;
    int count = store_attachment_users(task->db, task->mem, volume_id, &users, err);

    if (count < 0 || store_plugin_mount_count(task->db, volume_id, &engines, err) < 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (attachment_user_is_live(&users[i]) && users[i].mode != ACCESS_RO)
            return 1;
    return engines > 0;
}

static bool may_succeed(const struct lease *lease, const struct volume_rule *rule)
{
    bool runs = strcmp(lease->container_state, "running") == 0 ||
                strcmp(lease->container_state, "paused") == 0;

    if (!runs || rule->succession == SUCCESSION_NONE)
        return false;
    return strcmp(lease->state, "standby") == 0 ||
           (strcmp(lease->state, "fenced") == 0 && rule->succession == SUCCESSION_FENCED);
}

static int promote_prepare(struct task *task, struct op *op, struct error *err)
{
    struct lease_change *change = op->data;
    const char *wanted = change->container_id;
    int found = find_successor(task, change, err);

    if (found < 0)
        return -1;
    if (found == 0 || strcmp(change->container_id, wanted) != 0)
        return fail(err, ERR_CONFLICT, "volume '%s' has a writer again", change->volume.name);
    lease_change_note(task, op);
    return lease_change_write(task, change, "writer", err);
}

static int promote_apply(struct task *task, struct op *op, struct error *err)
{
    return lease_change_mounts(task, op->data, false, err);
}

static int promote_finish(struct task *task, struct op *op, struct error *err)
{
    const struct lease_change *change = op->data;
    struct pairs more = { 0 };

    pairs_set(&more, task->mem, "container", change->container_id);
    return volume_event(task, "promote", &change->volume, &more, err);
}
