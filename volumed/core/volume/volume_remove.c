/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing volumes.  The row goes (or changes, for the trash) first, in one transaction with every
 * check, then the data: a crash between leaves garbage for reconcile, never a listed volume with
 * half its files.
 */
#include "core/volume/volume_remove.h"

#include <string.h>

#include "base/buf.h"
#include "core/fence/liveness.h"
#include "core/operation/claim.h"
#include "core/operation/op.h"
#include "core/volume/trash.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_event.h"
#include "core/volume/volume_foreign.h"
#include "store/plugin_mount.h"
#include "store/snapshot.h"
#include "store/snapshot_hold.h"
#include "store/trash.h"
#include "store/volume.h"

struct removing {
    struct volume_removal removal;
    const char *volume_id;
    bool with_snapshots;
};

static int check_references(struct task *task, const struct volume *volume, struct error *err);
static int check_snapshots(const struct volume_removal *removal, bool with_snapshots,
                           struct error *err);
static bool goes_to_trash(const struct volume_removal *removal);
static int delete_snapshot(struct task *task, const struct snapshot *snapshot, bool is_for_trash,
                           struct error *err);
static int check_mounts(struct task *task, const struct volume *volume, struct error *err);
static int remove_finish(struct task *task, struct op *op, struct error *err);
static void remove_after(struct task *task, struct op *op, bool is_done);

static const struct op_kind remove_kind = {
    .name = "volume.remove",
    .finish = remove_finish,
    .after = remove_after,
};

int volume_remove(struct task *task, const char *ref, const struct volume_remove_spec *spec,
                  struct error *err)
{
    cleanup_claim struct claim claim = { 0 };
    struct removing removing = { .with_snapshots = spec->with_snapshots };
    cleanup_op struct op seen = { .kind = &remove_kind };
    struct volume volume;

    int found = op_replay(task, &seen, err);
    if (found != 0)
        return found < 0 ? -1 : 0;
    found = store_volume_find(task->db, task->mem, ref, &volume, err);
    if (found == 0)
        return spec->force ? 0 : fail(err, ERR_NOT_FOUND, "get %s: no such volume", ref);
    if (found < 0)
        return -1;
    removing.volume_id = volume.id;
    removing.removal.is_for_trash = !spec->is_now && trash_is_on(task);
    if (volume_removal_check(task, volume.id, spec->with_snapshots, &removing.removal, err) < 0 ||
        check_mounts(task, &volume, err) < 0)
        return -1;
    if (spec->is_dry_run)
        return 0;
    cleanup_op struct op op = {
        .kind = &remove_kind,
        .subject = arena_printf(task->mem, "volume '%s'", volume.name),
        .data = &removing,
    };
    if (!removing.removal.is_for_trash) /* else a row keeps naming it */
        claim_enter(&claim, volume.data_id);
    return op_run(task, &op, err);
}

int volume_removal_check(struct task *task, const char *volume_id, bool with_snapshots,
                         struct volume_removal *removal, struct error *err)
{
    struct volume *volume = &removal->volume;
    int64_t mounts = 0;
    int found = store_volume_find_id(task->db, task->mem, volume_id, volume, err);

    if (found <= 0)
        return found < 0 ? -1 : fail(err, ERR_NOT_FOUND, "get %s: no such volume", volume_id);
    if (check_references(task, volume, err) < 0)
        return -1;
    if (volume->is_protected)
        return fail(err, ERR_CONFLICT, "remove %s: volume is protected", volume->name);
    if (store_plugin_mount_count(task->db, volume_id, &mounts, err) < 0)
        return -1;
    if (mounts > 0)
        return fail(err, ERR_CONFLICT,
                    "remove %s: volume is in use - another engine has mounted it (%lld)",
                    volume->name, (long long)mounts);
    removal->snapshot_count =
        store_snapshot_list_all(task->db, task->mem, volume_id, &removal->snapshots, err);
    if (removal->snapshot_count < 0 || check_snapshots(removal, with_snapshots, err) < 0)
        return -1;
    if (store_hold_check_none(task->db, volume_id, err) < 0)
        return error_prefix(err, "remove %s", volume->name);
    return store_volume_check_free(task->db, volume, err);
}

int volume_removal_delete(struct task *task, const struct volume_removal *removal,
                          struct error *err)
{
    struct pair trash = { "trash", removal->volume.id };
    bool is_for_trash = goes_to_trash(removal);

    for (int i = 0; i < removal->snapshot_count; i++)
        if (delete_snapshot(task, &removal->snapshots[i], is_for_trash, err) < 0)
            return -1;
    if (is_for_trash ? trash_put_volume(task, &removal->volume, err) < 0
                     : store_volume_delete(task->db, removal->volume.id, err) < 0)
        return -1;
    return volume_event(task, "destroy", &removal->volume,
                        is_for_trash ? &(struct pairs){ 1, &trash } : NULL, err);
}

void volume_removal_discard(struct task *task, const struct volume_removal *removal)
{
    const struct volume *volume = &removal->volume;

    if (goes_to_trash(removal)) {
        trash_put_away(task, volume->id);
        return;
    }
    volume_data_discard(task, volume->pool_id, volume->data_id);
    for (int i = 0; i < removal->snapshot_count; i++)
        volume_data_discard(task, volume->pool_id, removal->snapshots[i].id);
}

static int check_references(struct task *task, const struct volume *volume, struct error *err)
{
    cleanup_buf struct buf text = { 0 };
    const char *const *ids = NULL;
    int count = volume_references(task, volume->id, &ids, err);

    if (count <= 0)
        return count;
    for (int i = 0; i < count; i++)
        buf_printf(&text, "%s%s", i > 0 ? ", " : "", ids[i]);
    return fail(err, ERR_CONFLICT, "remove %s: volume is in use - [%s]", volume->name, text.data);
}

/* What lies on somebody else's filesystem is not ours to keep. */
static bool goes_to_trash(const struct volume_removal *removal)
{
    return removal->is_for_trash && !volume_is_foreign(&removal->volume);
}

/* With its volume in the trash a snapshot stays as it is: out of sight, and back with it. */
static int delete_snapshot(struct task *task, const struct snapshot *snapshot, bool is_for_trash,
                           struct error *err)
{
    const struct trash_entry entry = { .id = snapshot->id, .kind = "snapshot" };

    if (strcmp(snapshot->state, "ready") != 0)
        return is_for_trash ? 0 : store_trash_delete(task->db, &entry, err);
    if (!is_for_trash && store_snapshot_delete(task->db, snapshot->id, err) < 0)
        return -1;
    return snapshot_event(task, "destroy", snapshot, err);
}

/* What a policy made is no person's reason to keep the volume, where both can be had back. */
static int check_snapshots(const struct volume_removal *removal, bool with_snapshots,
                           struct error *err)
{
    int count = 0;

    for (int i = 0; i < removal->snapshot_count; i++) {
        const struct snapshot *snapshot = &removal->snapshots[i];
        bool rides_along = goes_to_trash(removal) && strcmp(snapshot->reason, "policy") == 0;
        count += strcmp(snapshot->state, "ready") == 0 && !rides_along;
    }
    if (count == 0 || with_snapshots)
        return 0;
    return fail(err, ERR_CONFLICT,
                "remove %s: volume has %d snapshot%s; remove them first, or together with it",
                removal->volume.name, count, count == 1 ? "" : "s");
}

/* Rows say nobody refers to it; the kernel may know better. */
static int check_mounts(struct task *task, const struct volume *volume, struct error *err)
{
    if (volume_foreign_release(task, volume, err) < 0 || liveness_check_idle(task, volume, err) < 0)
        return error_prefix(err, "remove %s", volume->name);
    return 0;
}

static int remove_finish(struct task *task, struct op *op, struct error *err)
{
    struct removing *removing = op->data;

    if (volume_removal_check(task, removing->volume_id, removing->with_snapshots,
                             &removing->removal, err) < 0)
        return -1;
    return volume_removal_delete(task, &removing->removal, err);
}

static void remove_after(struct task *task, struct op *op, bool is_done)
{
    const struct removing *removing = op->data;

    if (is_done)
        volume_removal_discard(task, &removing->removal);
}
