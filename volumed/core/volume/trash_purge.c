/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Emptying the trash.  Each entry is an operation of its own, rows before data, so that a crash
 * leaves garbage and never half a thing that could still be restored.
 */
#include <string.h>

#include "base/clock.h"
#include "core/operation/claim.h"
#include "core/operation/event.h"
#include "core/operation/op.h"
#include "core/pool/space_reliefs.h"
#include "core/volume/trash.h"
#include "core/volume/volume_data.h"
#include "store/snapshot.h"
#include "store/trash.h"

struct purging {
    const struct trash_entry *entry;
    const char *reason;
    struct snapshot *snapshots; /* of a volume */
    int snapshot_count;
};

static int give_oldest(struct task *task, const struct pool *pool, struct error *err);
static int purge_finish(struct task *task, struct op *op, struct error *err);
static void purge_after(struct task *task, struct op *op, bool is_done);
static bool is_gone(const struct error *err);

const struct space_relief trash_relief = { "trash", give_oldest };

static const struct op_kind purge_kind = {
    .name = "trash.purge",
    .finish = purge_finish,
    .after = purge_after,
};

int trash_purge(struct task *task, const struct trash_entry *entry, const char *reason,
                struct error *err)
{
    cleanup_claim struct claim claim = { 0 };
    struct purging purging = { .entry = entry, .reason = reason };
    cleanup_op struct op op = {
        .kind = &purge_kind,
        .subject = arena_printf(task->mem, "%s '%s'", entry->kind, entry->name),
        .data = &purging,
    };

    claim_enter(&claim, entry->data_id);
    return op_run(task, &op, err);
}

int trash_purge_expired(struct task *task, struct error *err)
{
    struct trash_entry *list = NULL;
    int64_t now_ms = clock_now_ms();
    int count = trash_list(task, NULL, &list, err);
    int purged = 0;
    int failed = 0;

    for (int i = 0; i < count; i++) {
        struct error failure;
        if (list[i].expires_ms > now_ms)
            continue;
        if (trash_purge(task, &list[i], "expired", &failure) == 0)
            purged++;
        else if (!is_gone(&failure)) {
            *err = failure; /* the others go all the same */
            failed++;
        }
    }
    return count < 0 || failed > 0 ? -1 : purged;
}

int trash_next_expiry(struct task *task, int64_t *expires_ms, struct error *err)
{
    return store_trash_next(task->db, expires_ms, err);
}

static int give_oldest(struct task *task, const struct pool *pool, struct error *err)
{
    struct trash_entry *list = NULL;
    int count = trash_list(task, pool->id, &list, err);

    for (int i = 0; i < count; i++) {
        if (trash_purge(task, &list[i], "space", err) == 0)
            return 1;
        if (!is_gone(err))
            return -1;
    }
    return count < 0 ? -1 : 0;
}

static int purge_finish(struct task *task, struct op *op, struct error *err)
{
    struct purging *purging = op->data;
    const struct trash_entry *entry = purging->entry;
    struct pair items[] = { { "reason", purging->reason }, { "id", entry->id } };

    if (trash_entry_is_volume(entry))
        purging->snapshot_count =
            store_snapshot_list_all(task->db, task->mem, entry->id, &purging->snapshots, err);
    if (purging->snapshot_count < 0)
        return -1;
    if (store_trash_delete(task->db, entry, err) < 0)
        return error_prefix(err, "purge %s", entry->name);
    return event_emit(task, entry->kind, "purge", entry->name,
                      &(struct pairs){ ARRAY_SIZE(items), items }, err);
}

static void purge_after(struct task *task, struct op *op, bool is_done)
{
    const struct purging *purging = op->data;

    if (!is_done)
        return;
    volume_data_discard(task, purging->entry->pool_id, purging->entry->data_id);
    for (int i = 0; i < purging->snapshot_count; i++)
        volume_data_discard(task, purging->snapshots[i].pool_id, purging->snapshots[i].id);
}

/* Somebody else restored or purged it first. */
static bool is_gone(const struct error *err)
{
    return err->code == ERR_CONFLICT;
}
