/* SPDX-License-Identifier: Apache-2.0 */
/* What promoting and fencing share. */
#include "core/attachment/lease_change.h"

#include <string.h>

#include "base/clock.h"
#include "core/attachment/attachment.h"
#include "core/attachment/attachment_snapshot.h"
#include "core/attachment/hot_mount.h"
#include "store/lease.h"
#include "store/volume.h"

void lease_change_note(struct task *task, struct op *op)
{
    const struct lease_change *change = op->data;

    op->objects[0] =
        arena_printf(task->mem, "lease:%s:%s", change->volume.id, change->container_id);
    json_decref(op->note);
    op->note = json_pack("{ss ss ss ss sI}", "volume", change->volume.id, "container",
                         change->container_id, "container_name", change->container_name, "from",
                         change->from, "from_epoch", (json_int_t)change->from_epoch);
}

int lease_change_load(struct task *task, struct op *op, struct error *err)
{
    struct lease_change *change = arena_alloc(task->mem, sizeof(*change));
    const char *volume_id = "";

    *change = (struct lease_change){ .from = "" };
    op->data = change;
    if (json_get_text(op->note, "volume", task->mem, &volume_id, err) < 0 ||
        json_get_text(op->note, "container", task->mem, &change->container_id, err) < 0 ||
        json_get_text(op->note, "container_name", task->mem, &change->container_name, err) < 0 ||
        json_get_text(op->note, "from", task->mem, &change->from, err) < 0 ||
        json_get_int(op->note, "from_epoch", &change->from_epoch, err) < 0)
        return -1;
    int found = store_volume_find_id(task->db, task->mem, volume_id, &change->volume, err);
    if (found < 0)
        return -1;
    if (found == 0) /* then the container is gone too, and nothing is mounted */
        change->volume = (struct volume){ .id = volume_id, .name = "", .data_id = volume_id };
    return 0;
}

int lease_change_write(struct task *task, struct lease_change *change, const char *state,
                       struct error *err)
{
    change->to = (struct lease){
        .volume_id = change->volume.id,
        .container_id = change->container_id,
        .state = state,
        .since_ms = clock_now_ms(),
    };
    if (store_rule_advance(task->db, change->volume.id, &change->to.epoch, err) < 0)
        return -1;
    return store_lease_set(task->db, &change->to, err);
}

/* A container that has ended meanwhile has no lease any more, and gets none. */
int lease_change_take_back(struct task *task, struct op *op, struct error *err)
{
    const struct lease_change *change = op->data;
    struct lease *list = NULL;
    int count = store_lease_list(task->db, task->mem, change->volume.id, &list, err);

    for (int i = 0; i < count; i++) {
        if (strcmp(list[i].container_id, change->container_id) != 0)
            continue;
        if (*change->from == '\0')
            return store_lease_delete(task->db, change->volume.id, change->container_id, err);
        list[i].state = change->from;
        list[i].epoch = change->from_epoch;
        return store_lease_set(task->db, &list[i], err);
    }
    return count < 0 ? -1 : 0;
}

int lease_change_mounts(struct task *task, const struct lease_change *change, bool is_read_only,
                        struct error *err)
{
    struct attachment *list = NULL;
    size_t count = 0;

    if (attachment_list(task, change->container_id, &list, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct attachment *attachment = &list[i];
        if (strcmp(attachment->volume_id, change->volume.id) != 0 ||
            attachment_shows_snapshot(attachment) || attachment->mode == ACCESS_RO)
            continue;
        const char *token = hot_mount_token(attachment, change->volume.data_id);
        if (hot_remount(task, attachment, token, is_read_only, err) < 0)
            return error_prefix(err, "volume '%s' in container '%s'", change->volume.name,
                                change->container_name);
    }
    return 0;
}
