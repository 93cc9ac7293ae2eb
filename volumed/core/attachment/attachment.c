/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments of containers that exist: lists, copies, events, the end. */
#include "core/attachment/attachment.h"

#include <string.h>

#include "base/path.h"
#include "base/uuid.h"
#include "core/attachment/attachment_end.h"
#include "core/attachment/attachment_snapshot.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_event.h"
#include "core/volume/volume_foreign.h"
#include "core/volume/volume_remove.h"
#include "store/attachment.h"
#include "store/lease.h"
#include "store/snapshot.h"
#include "store/volume.h"

static int delete_own_snapshot(struct task *task, const struct attachment *attachment,
                               struct attachment_garbage *garbage, struct error *err);
static const char *new_id(struct task *task);
static struct attachment *find_destination(struct attachment *list, size_t count,
                                           const char *destination);

int attachment_list(struct task *task, const char *container_id, struct attachment **list,
                    size_t *count, struct error *err)
{
    int found = store_attachment_list(task->db, task->mem, container_id, list, err);

    if (found < 0)
        return -1;
    *count = (size_t)found;
    return 0;
}

int attachment_find(struct task *task, const char *container_id, const char *destination,
                    struct attachment *attachment, struct error *err)
{
    struct attachment *list = NULL;
    size_t count = 0;

    if (attachment_list(task, container_id, &list, &count, err) < 0)
        return -1;
    const struct attachment *found = find_destination(list, count, destination);
    if (found != NULL)
        *attachment = *found;
    return found != NULL;
}

const char *attachment_object(struct task *task, const char *container_id, const char *destination)
{
    return arena_printf(task->mem, "attachment:%s:%s", container_id, destination);
}

int attachment_check_settled(const struct container *container, struct error *err)
{
    static const char *const settled[] = { "created", "running", "paused", "exited" };

    for (size_t i = 0; i < ARRAY_SIZE(settled); i++)
        if (strcmp(container->state, settled[i]) == 0)
            return 0;
    return fail(err, ERR_BUSY, "container '%s' is %s; try again", container->name,
                container->state);
}

int attachment_end_one(struct task *task, const struct attachment *attachment,
                       struct attachment_garbage *garbage, struct error *err)
{
    struct attachment *list = NULL;
    size_t count = 0;

    *garbage = (struct attachment_garbage){ 0 };
    garbage->snapshots = arena_array(task->mem, 1, sizeof(*garbage->snapshots));
    if (store_attachment_delete_one(task->db, attachment->container_id, attachment->destination,
                                    err) < 0 ||
        attachment_list(task, attachment->container_id, &list, &count, err) < 0)
        return -1;
    bool is_last = true;
    for (size_t i = 0; i < count; i++)
        is_last = is_last && strcmp(list[i].volume_id, attachment->volume_id) != 0;
    if (is_last &&
        store_lease_delete(task->db, attachment->volume_id, attachment->container_id, err) < 0)
        return -1;
    return attachment->is_snapshot_own ? delete_own_snapshot(task, attachment, garbage, err) : 0;
}

int attachment_copy(struct task *task, const char *container_id, bool is_read_only,
                    struct attachment **list, size_t *count, struct error *err)
{
    struct attachment *copies = NULL;
    size_t copied = 0;

    if (attachment_list(task, container_id, &copies, &copied, err) < 0)
        return -1;
    for (size_t i = 0; i < copied; i++) {
        copies[i].container_id = NULL;
        copies[i].is_nocopy = true;
        copies[i].is_held = false;
        if (copies[i].is_scratch) /* each has its own, over the same snapshot */
            copies[i].scratch_id = new_id(task);
        if (is_read_only)
            copies[i].mode = ACCESS_RO;
    }
    *list = copies;
    *count = copied;
    return 0;
}

void attachment_merge(struct task *task, struct attachment **list, size_t *count,
                      const struct attachment *more, size_t more_count)
{
    struct attachment *merged = arena_array(task->mem, *count + more_count + 1, sizeof(*merged));
    size_t used = *count;

    if (used > 0)
        memcpy(merged, *list, used * sizeof(*merged));
    for (size_t i = 0; i < more_count; i++) {
        const char *destination = path_clean(task->mem, more[i].destination);
        /* Only what was there before is replaced: doubles within 'more' are for plan to refuse. */
        struct attachment *former = find_destination(merged, *count, destination);
        if (former == NULL)
            former = &merged[used++];
        *former = more[i];
        former->destination = destination;
    }
    *list = merged;
    *count = used;
}

int attachment_emit(struct task *task, const char *container_id, const char *action,
                    struct error *err)
{
    struct attachment *list = NULL;
    size_t count = 0;
    bool is_mount = strcmp(action, "mount") == 0;

    if (attachment_list(task, container_id, &list, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct volume volume = { .name = list[i].volume_name, .driver = list[i].driver };
        struct pairs more = { 0 };
        pairs_set(&more, task->mem, "container", container_id);
        if (is_mount) {
            pairs_set(&more, task->mem, "destination", list[i].destination);
            pairs_set(&more, task->mem, "propagation", list[i].propagation);
            pairs_set(&more, task->mem, "read/write",
                      attachment_is_read_only(&list[i]) ? "false" : "true");
        }
        if (volume_event(task, action, &volume, &more, err) < 0)
            return -1;
    }
    return 0;
}

int attachment_release(struct task *task, const char *container_id, struct error *err)
{
    struct attachment *list = NULL;
    size_t count = 0;

    if (attachment_list(task, container_id, &list, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct volume volume;
        int found = store_volume_find_id(task->db, task->mem, list[i].volume_id, &volume, err);
        if (found < 0 || (found > 0 && volume_foreign_release(task, &volume, err) < 0))
            return -1;
    }
    return 0;
}

int attachment_delete(struct task *task, const char *container_id, enum attachment_fate fate,
                      struct attachment_garbage *garbage, struct error *err)
{
    struct attachment *list = NULL;
    size_t count = 0;

    *garbage = (struct attachment_garbage){ 0 };
    if (attachment_list(task, container_id, &list, &count, err) < 0 ||
        store_attachment_delete(task->db, container_id, err) < 0)
        return -1;
    garbage->snapshots = arena_array(task->mem, count + 1, sizeof(*garbage->snapshots));
    for (size_t i = 0; i < count; i++)
        if (list[i].is_snapshot_own && delete_own_snapshot(task, &list[i], garbage, err) < 0)
            return -1;
    garbage->volumes = arena_array(task->mem, count + 1, sizeof(*garbage->volumes));
    for (size_t i = 0; fate != ATTACHMENT_VOLUMES_STAY && i < count; i++) {
        struct volume_removal removal = { .is_for_trash = fate == ATTACHMENT_VOLUMES_TO_TRASH };
        struct error reason; /* one that must stay stays, without a word, as Docker has it */
        if (!list[i].is_anonymous ||
            volume_removal_check(task, list[i].volume_id, false, &removal, &reason) < 0)
            continue;
        if (volume_removal_delete(task, &removal, err) < 0)
            return -1;
        garbage->volumes[garbage->count++] = removal;
    }
    return 0;
}

void attachment_garbage_remove(struct task *task, const struct attachment_garbage *garbage)
{
    for (size_t i = 0; i < garbage->count; i++)
        volume_removal_discard(task, &garbage->volumes[i]);
    for (size_t i = 0; i < garbage->snapshot_count; i++)
        volume_data_discard(task, garbage->snapshots[i].pool_id, garbage->snapshots[i].id);
}

/* Cut for a scratch: it goes with the last attachment that shows it. */
static int delete_own_snapshot(struct task *task, const struct attachment *attachment,
                               struct attachment_garbage *garbage, struct error *err)
{
    struct snapshot *snapshot = &garbage->snapshots[garbage->snapshot_count];
    struct error pinned;
    int found = store_snapshot_find(task->db, task->mem, attachment->volume_id,
                                    attachment->snapshot_id, snapshot, err);

    if (found <= 0 || snapshot_check_unpinned(task, snapshot, &pinned) < 0)
        return found < 0 ? -1 : 0;
    if (store_snapshot_delete(task->db, snapshot->id, err) < 0)
        return -1;
    garbage->snapshot_count++;
    return snapshot_event(task, "destroy", snapshot, err);
}

static const char *new_id(struct task *task)
{
    char id[UUID_SIZE];

    uuid_make(id);
    return arena_strdup(task->mem, id);
}

static struct attachment *find_destination(struct attachment *list, size_t count,
                                           const char *destination)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].destination, destination) == 0)
            return &list[i];
    return NULL;
}
