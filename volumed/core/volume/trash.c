/* SPDX-License-Identifier: Apache-2.0 */
/* Putting things into the trash, and looking at what is there. */
#include "core/volume/trash.h"

#include <errno.h>
#include <fcntl.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "core/operation/claim.h"
#include "core/pool/pool.h"
#include "core/service.h"
#include "core/volume/volume_view.h"
#include "driver/driver.h"
#include "store/trash.h"

/* The clock's thread looks each hour anyway: what lives longer need not wake it. */
#define ALARM_BELOW_MS (INT64_C(2) * 3600 * 1000)

static int put(struct task *task, struct trash_entry *entry, struct error *err);
static int move_away(struct task *task, const struct trash_entry *entry, struct error *err);

bool trash_is_on(const struct task *task)
{
    return task->service->trash_ttl_ms > 0;
}

int trash_put_volume(struct task *task, const struct volume *volume, struct error *err)
{
    struct trash_entry entry = {
        .id = volume->id, .kind = "volume", .name = volume->name, .pool_id = volume->pool_id
    };

    return put(task, &entry, err);
}

int trash_put_snapshot(struct task *task, const struct snapshot *snapshot, struct error *err)
{
    struct trash_entry entry = {
        .id = snapshot->id,
        .kind = "snapshot",
        .name = arena_printf(task->mem, "%s@%s", snapshot->volume_name, snapshot->name),
        .pool_id = snapshot->pool_id,
    };

    return put(task, &entry, err);
}

/* What is restored or purged meanwhile is none of ours any more: asked under the claim. */
void trash_put_away(struct task *task, const char *volume_id)
{
    cleanup_claim struct claim claim = { 0 };
    struct trash_entry entry;
    struct error err;
    int found = store_trash_find(task->db, task->mem, volume_id, &entry, &err);

    if (found > 0) {
        claim_enter(&claim, entry.data_id);
        found = store_trash_find(task->db, task->mem, volume_id, &entry, &err);
    }
    trash_notice(task);
    if (found < 0 || (found > 0 && move_away(task, &entry, &err) < 0))
        log_warn("removed data not moved to trash id=%s error=\"%s\"", volume_id, err.message);
}

void trash_notice(struct task *task)
{
    if (task->service->trash_ttl_ms < ALARM_BELOW_MS)
        alarm_ring(&task->service->alarm);
}

int trash_list(struct task *task, const char *pool_id, struct trash_entry **list, struct error *err)
{
    return store_trash_list(task->db, task->mem, pool_id, list, err);
}

int trash_get(struct task *task, const char *ref, struct trash_entry *entry, struct error *err)
{
    int found = store_trash_find(task->db, task->mem, ref, entry, err);

    if (found < 0)
        return -1;
    return found > 0
               ? 0
               : fail(err, ERR_NOT_FOUND, "there is no '%s' in the trash; see 'trash ls'", ref);
}

int trash_usage(struct task *task, const struct trash_entry *entry, struct usage *usage,
                struct error *err)
{
    cleanup_fd int fd = trash_data_open(task, entry, err);

    return fd < 0 ? -1 : volume_usage_at(fd, usage, err);
}

int trash_total(struct task *task, int64_t *count, int64_t *bytes, struct error *err)
{
    struct trash_entry *list = NULL;
    int found = trash_list(task, NULL, &list, err);

    if (found < 0)
        return -1;
    *count = found;
    *bytes = 0;
    for (int i = 0; i < found; i++) {
        struct usage usage;
        struct error ignored; /* a number that is a little too small harms nobody */
        if (trash_usage(task, &list[i], &usage, &ignored) == 0)
            *bytes += usage.used_bytes;
    }
    return 0;
}

int trash_data_open(struct task *task, const struct trash_entry *entry, struct error *err)
{
    const struct driver_pool *pool = NULL;

    if (pool_open(task, entry->pool_id, &pool, err) < 0)
        return -1;
    enum tree_place first = trash_entry_is_volume(entry) ? TREE_IN_TRASH : TREE_IN_SNAPSHOTS;
    int fd = view_open_still(pool, first, entry->data_id, err);
    if (fd < 0 && err->code == ERR_NOT_FOUND && trash_entry_is_volume(entry))
        fd = view_open_still(pool, TREE_IN_VOLUMES, entry->data_id, err);
    return fd < 0 ? error_prefix(err, "cannot open the data of '%s' in the trash", entry->name)
                  : fd;
}

static int put(struct task *task, struct trash_entry *entry, struct error *err)
{
    entry->actor = task->actor;
    entry->removed_ms = clock_now_ms();
    entry->expires_ms = entry->removed_ms + task->service->trash_ttl_ms;
    if (store_trash_put(task->db, entry, err) < 0)
        return error_prefix(err, "remove %s", entry->name);
    return 0;
}

static int move_away(struct task *task, const struct trash_entry *entry, struct error *err)
{
    const struct driver_pool *pool = NULL;

    cleanup_view_rest struct view_rest rest = { 0 };
    if (pool_open(task, entry->pool_id, &pool, err) < 0 ||
        view_put_to_rest(pool, TREE_IN_VOLUMES, entry->data_id, &rest, err) < 0)
        return -1;
    int rc = sys_renameat2(pool->volumes_fd, entry->data_id, pool->trash_fd, entry->data_id,
                           RENAME_NOREPLACE);
    return rc < 0 && rc != -ENOENT ? fail_sys(err, rc, "cannot move '%s'", entry->data_id) : 0;
}
