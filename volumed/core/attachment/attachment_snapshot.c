/* SPDX-License-Identifier: Apache-2.0 */
/* Finding, cutting and pinning what attachments show of the past. */
#include "core/attachment/attachment_snapshot.h"

#include <string.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/fence/fence.h"
#include "core/pool/pool.h"
#include "core/pool/pool_reserve.h"
#include "core/pool/space.h"
#include "core/snapshot/snapshot_name.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_event.h"
#include "store/attachment.h"
#include "store/snapshot.h"
#include "store/snapshot_hold.h"

#define SCRATCH_LABEL "volumed.scratch"

static int cut_data(struct task *task, const struct volume *volume, struct snapshot *snapshot,
                    struct error *err);
static const char *new_id(struct task *task);

bool attachment_shows_snapshot(const struct attachment *attachment)
{
    return attachment->snapshot != NULL || attachment->is_scratch;
}

int attachment_snapshot_check(const struct attachment *attachment, struct error *err)
{
    const char *what = attachment->is_scratch ? "a scratch" : "a snapshot";

    if (!attachment_shows_snapshot(attachment))
        return 0;
    if (attachment->volume_name == NULL || *attachment->volume_name == '\0')
        return fail(err, ERR_INVALID, "invalid mount config: %s needs a volume's name", what);
    if (attachment->mode == ACCESS_EXCLUSIVE || attachment->is_standby || attachment->wait_ms > 0)
        return fail(err, ERR_INVALID,
                    "invalid mount config: %s of volume '%s' has no other writers; leave out"
                    " 'exclusive', 'standby' and 'wait'",
                    what, attachment->volume_name);
    if (attachment->is_scratch && *attachment->subpath != '\0')
        return fail(err, ERR_INVALID, "invalid mount config: a scratch is of a whole volume");
    if (attachment->is_scratch && attachment->mode == ACCESS_RO)
        return fail(err, ERR_INVALID, "invalid mount config: a scratch is there to be written to");
    return 0;
}

int attachment_snapshot_find(struct task *task, struct attachment *attachment,
                             const struct volume *volume, struct error *err)
{
    struct snapshot snapshot;

    attachment->mode = ACCESS_RO; /* to the volume itself it does nothing */
    attachment->is_nocopy = true;
    if (attachment->is_scratch)
        attachment->scratch_id = new_id(task);
    if (volume_is_foreign(volume))
        return fail(err, ERR_UNSUPPORTED,
                    "volume '%s' lies on a filesystem of type '%s', which has no snapshots here",
                    volume->name, pairs_get(&volume->options, "type"));
    if (attachment->snapshot == NULL)
        return 0;
    int found =
        store_snapshot_find(task->db, task->mem, volume->id, attachment->snapshot, &snapshot, err);
    if (found <= 0)
        return found < 0 ? -1
                         : fail(err, ERR_NOT_FOUND, "no such snapshot: %s@%s", volume->name,
                                attachment->snapshot);
    attachment->snapshot = snapshot.name;
    attachment->snapshot_id = snapshot.id;
    return 0;
}

int attachment_cut_build(struct task *task, struct attachment *attachment,
                         struct attachment_cut *cut, struct error *err)
{
    struct volume volume;

    if (volume_get(task, attachment->volume_id, &volume, err) < 0)
        return -1;
    cut->snapshot = (struct snapshot){
        .id = new_id(task),
        .volume_id = volume.id,
        .volume_name = volume.name,
        .pool_id = volume.pool_id,
        .name = snapshot_name_of_now(task, volume.id, "scratch-"),
        .state = "ready",
        .reason = "user",
        .created_ms = clock_now_ms(),
    };
    claim_enter(&cut->claim, cut->snapshot.id);
    if (cut_data(task, &volume, &cut->snapshot, err) < 0)
        return error_prefix(err, "cannot cut volume '%s'", volume.name);
    attachment->snapshot = cut->snapshot.name;
    attachment->snapshot_id = cut->snapshot.id;
    attachment->is_snapshot_own = true;
    return 0;
}

int attachment_cut_insert(struct task *task, const struct attachment *attachment,
                          struct attachment_cut *cut, struct error *err)
{
    if (cut->snapshot.id == NULL)
        return 0;
    pairs_set(&cut->snapshot.labels, task->mem, SCRATCH_LABEL, attachment->container_id);
    if (store_snapshot_insert(task->db, &cut->snapshot, err) < 0)
        return error_prefix(err, "cannot keep the snapshot of volume '%s'",
                            cut->snapshot.volume_name);
    return snapshot_event(task, "create", &cut->snapshot, err);
}

void attachment_cut_done(struct task *task, struct attachment_cut *cut, bool is_published)
{
    if (cut->claim.name == NULL)
        return;
    if (!is_published)
        volume_data_discard(task, cut->snapshot.pool_id, cut->snapshot.id);
    claim_leave(&cut->claim);
}

int snapshot_check_unpinned(struct task *task, const struct snapshot *snapshot, struct error *err)
{
    const char *id = NULL;
    const char *name = NULL;

    if (store_hold_check_none(task->db, snapshot->id, err) < 0)
        return -1;
    int found = store_attachment_pin(task->db, task->mem, snapshot->id, &id, &name, err);

    if (found <= 0)
        return found;
    return fail(
        err, ERR_CONFLICT,
        "snapshot '%s@%s' is attached to container '%s' (%.12s); remove the container first",
        snapshot->volume_name, snapshot->name, name, id);
}

static int cut_data(struct task *task, const struct volume *volume, struct snapshot *snapshot,
                    struct error *err)
{
    cleanup_fence struct fence fence = { 0 };
    const struct driver_pool *pool = NULL;

    if (pool_open(task, volume->pool_id, &pool, err) < 0)
        return -1;
    if (pool->driver->clone == NULL)
        return fail(err, ERR_UNSUPPORTED, "driver '%s' has no snapshots", pool->driver->name);
    const char *what = arena_printf(task->mem, "snapshot of volume '%s'", volume->name);
    if (space_check(task, volume->pool_id, what, err) < 0)
        return -1;
    cleanup_fd int source_fd = volume_source_open(pool, volume, pool->id, err);
    const struct fence_target target = { volume, source_fd };
    if (source_fd < 0 || fence_raise(task, &target, 1, 0, &fence, err) < 0)
        return -1;
    const struct driver_copy copy = {
        .source_fd = source_fd,
        .dirfd = pool->snapshots_fd,
        .name = snapshot->id,
        .is_read_only = true,
        .deadline_ms = fence.deadline_ms,
    };
    if (pool_tree_clone(pool, &copy, err) < 0 || fence_lower(&fence, &snapshot->pause_ns, err) < 0)
        return -1;
    snapshot->fence = fence.kind;
    return pool->driver->separate == NULL
               ? 0
               : pool->driver->separate(pool, pool->volumes_fd, volume->data_id, err);
}

static const char *new_id(struct task *task)
{
    char id[UUID_SIZE];

    uuid_make(id);
    return arena_strdup(task->mem, id);
}
