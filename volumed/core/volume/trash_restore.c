/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Restoring from the trash.  The data goes back first, then one transaction gives the row its name
 * again.  A crash between leaves a thing in the trash whose data lies in volumes/, which is as good
 * a place as any: restoring and purging look there too, and reconcile moves it back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/sys.h"
#include "core/operation/claim.h"
#include "core/operation/event.h"
#include "core/operation/op.h"
#include "core/pool/pool.h"
#include "core/volume/trash.h"
#include "core/volume/volume_event.h"
#include "driver/driver.h"
#include "model/name.h"
#include "store/snapshot.h"
#include "store/trash.h"
#include "store/volume.h"

struct restoring {
    struct trash_entry entry;
    const char *name;       /* what it will be called */
    struct snapshot before; /* a snapshot: as it is in the trash */
    struct volume volume;   /* a snapshot's */
};

static int read_result(struct task *task, const json_t *result, struct trash_entry *entry,
                       struct error *err);
static int plan(struct task *task, const char *ref, const char *name, struct restoring *restoring,
                struct error *err);
static int check_name(struct task *task, const struct restoring *restoring, struct error *err);
static int restore_apply(struct task *task, struct op *op, struct error *err);
static int restore_finish(struct task *task, struct op *op, struct error *err);
static int tell(struct task *task, const struct restoring *restoring, struct error *err);
static int restore_revert(struct task *task, struct op *op, struct error *err);
static int sync_directories(const struct driver_pool *pool, struct error *err);

static const struct op_kind restore_kind = {
    .name = "trash.restore",
    .apply = restore_apply,
    .finish = restore_finish,
    .revert = restore_revert,
};

int trash_restore(struct task *task, const char *ref, const char *name, struct trash_entry *entry,
                  struct error *err)
{
    cleanup_claim struct claim claim = { 0 };
    cleanup_op struct op seen = { .kind = &restore_kind };
    struct restoring restoring = { 0 };
    int is_seen = op_replay(task, &seen, err);

    if (is_seen != 0)
        return is_seen < 0 ? -1 : read_result(task, seen.result, entry, err);
    if (plan(task, ref, name, &restoring, err) < 0)
        return -1;
    const char *restored =
        trash_entry_is_volume(&restoring.entry)
            ? restoring.name
            : arena_printf(task->mem, "%s@%s", restoring.volume.name, restoring.name);
    cleanup_op struct op op = {
        .kind = &restore_kind,
        .subject = arena_printf(task->mem, "%s '%s'", restoring.entry.kind, restoring.entry.name),
        .data = &restoring,
        .result = json_object(),
    };
    json_set(op.result, "id", json_text(restoring.entry.id));
    json_set(op.result, "kind", json_text(restoring.entry.kind));
    json_set(op.result, "name", json_text(restored));
    claim_enter(&claim, restoring.entry.data_id);
    if (op_run(task, &op, err) < 0)
        return -1;
    *entry = restoring.entry;
    entry->name = restored;
    return 0;
}

/* What the first run told. */
static int read_result(struct task *task, const json_t *result, struct trash_entry *entry,
                       struct error *err)
{
    struct trash_entry read = { 0 };

    if (json_get_text(result, "id", task->mem, &read.id, err) < 0 ||
        json_get_text(result, "kind", task->mem, &read.kind, err) < 0 ||
        json_get_text(result, "name", task->mem, &read.name, err) < 0)
        return -1;
    *entry = read;
    return 0;
}

static int plan(struct task *task, const char *ref, const char *name, struct restoring *restoring,
                struct error *err)
{
    struct trash_entry *entry = &restoring->entry;

    if (trash_get(task, ref, entry, err) < 0)
        return -1;
    if (name != NULL && name_check(entry->kind, name, err) < 0)
        return -1;
    restoring->name = name != NULL ? name : entry->name;
    if (trash_entry_is_volume(entry))
        return check_name(task, restoring, err);
    int found =
        store_volume_find_id(task->db, task->mem, entry->volume_id, &restoring->volume, err);
    if (found < 0)
        return -1;
    const char *at = strrchr(entry->name, '@');
    if (found == 0)
        return fail(err, ERR_CONFLICT,
                    "the volume of snapshot '%s' is in the trash itself; restore '%.*s' first",
                    entry->name, at == NULL ? 0 : (int)(at - entry->name), entry->name);
    if (name == NULL && at != NULL)
        restoring->name = at + 1;
    return check_name(task, restoring, err);
}

/* Asked before the work; the row's key decides in the end. */
static int check_name(struct task *task, const struct restoring *restoring, struct error *err)
{
    const char *name = restoring->name;
    struct volume volume;
    struct snapshot snapshot;
    bool is_volume = trash_entry_is_volume(&restoring->entry);
    int found = is_volume ? store_volume_find(task->db, task->mem, name, &volume, err)
                          : store_snapshot_find(task->db, task->mem, restoring->entry.volume_id,
                                                name, &snapshot, err);

    if (found <= 0)
        return found;
    return fail(err, ERR_EXISTS,
                "%s '%s' exists already; restore the removed one under another name (--as)",
                restoring->entry.kind, name);
}

static int restore_apply(struct task *task, struct op *op, struct error *err)
{
    const struct restoring *restoring = op->data;
    const struct trash_entry *entry = &restoring->entry;
    const struct driver_pool *pool = NULL;

    cleanup_fd int fd = trash_data_open(task, entry, err); /* it is there */
    if (fd < 0 || pool_open(task, entry->pool_id, &pool, err) < 0)
        return -1;
    if (!trash_entry_is_volume(entry))
        return 0;
    int rc = sys_renameat2(pool->trash_fd, entry->data_id, pool->volumes_fd, entry->data_id,
                           RENAME_NOREPLACE);
    if (rc < 0 && rc != -ENOENT)
        return fail_sys(err, rc, "cannot move '%s' out of the trash", entry->name);
    return sync_directories(pool, err);
}

static int restore_finish(struct task *task, struct op *op, struct error *err)
{
    const struct restoring *restoring = op->data;

    if (store_trash_restore(task->db, &restoring->entry, restoring->name, err) < 0) {
        if (err->code == ERR_EXISTS)
            return fail(err, ERR_EXISTS, "%s '%s' exists already", restoring->entry.kind,
                        restoring->name);
        return error_prefix(err, "restore %s", restoring->entry.name);
    }
    return tell(task, restoring, err);
}

/* Docker's clients know no "restore": to them a volume comes to be. */
static int tell(struct task *task, const struct restoring *restoring, struct error *err)
{
    const struct trash_entry *entry = &restoring->entry;
    struct pair items[] = { { "restored", "true" }, { "removed_as", entry->name } };
    struct pairs more = { ARRAY_SIZE(items), items };
    struct volume volume;
    struct snapshot snapshot;

    if (trash_entry_is_volume(entry)) {
        int found = store_volume_find_id(task->db, task->mem, entry->id, &volume, err);
        return found <= 0 ? found : volume_event(task, "create", &volume, &more, err);
    }
    int found =
        store_snapshot_find(task->db, task->mem, entry->volume_id, entry->id, &snapshot, err);
    return found <= 0 ? found : snapshot_event(task, "create", &snapshot, err);
}

static int restore_revert(struct task *task, struct op *op, struct error *err)
{
    const struct restoring *restoring = op->data;

    (void)err;
    if (!trash_entry_is_volume(&restoring->entry))
        return 0;
    /* Not by trash_put_away(): we hold the claim.  Where it lies is no matter anyway. */
    const struct driver_pool *pool = NULL;
    if (pool_open(task, restoring->entry.pool_id, &pool, err) < 0)
        return -1;
    (void)sys_renameat2(pool->volumes_fd, restoring->entry.data_id, pool->trash_fd,
                        restoring->entry.data_id, RENAME_NOREPLACE);
    return 0;
}

static int sync_directories(const struct driver_pool *pool, struct error *err)
{
    int rc = sys_fsync(pool->volumes_fd);

    if (rc >= 0)
        rc = sys_fsync(pool->trash_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot sync pool '%s'", pool->name) : 0;
}
