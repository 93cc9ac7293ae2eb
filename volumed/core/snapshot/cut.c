/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each snapshot is built under a new UUID, so that one commit publishes all of them.  Several
 * whose driver wants it so are each made in a directory of their own in tmp, all at once, and moved
 * and sealed when the writers run again.
 */
#include "core/snapshot/cut.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/pool/pool.h"
#include "core/pool/space.h"
#include "core/snapshot/snapshot_name.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_event.h"
#include "model/name.h"
#include "store/snapshot.h"
#include "store/volume.h"

#define PLACE_MODE 0700

static int open_members(struct task *task, struct cut *cut, struct error *err);
static void close_members(struct cut *cut);
static int open_place(const struct cut *cut, struct cut_member *member, struct error *err);
static int take_fenced(struct task *task, struct cut *cut, struct error *err);
static int check_deadline(const struct fence *fence, const struct cut_member *slowest,
                          struct error *err);
static int settle(struct cut *cut, struct error *err);
static int separate(const struct cut *cut, struct error *err);
static int settle_member(const struct cut_member *member, struct error *err);
static int sync_pools(const struct cut *cut, struct error *err);
static int insert_member(struct task *task, const struct cut *cut, const struct cut_member *member,
                         struct error *err);

int cut_add(struct task *task, struct cut *cut, const struct volume *volume,
            const struct snapshot *pattern, struct error *err)
{
    struct snapshot taken;
    char id[UUID_SIZE];

    if ((pattern->name != NULL && name_check("snapshot", pattern->name, err) < 0) ||
        store_volume_check_free_but(task->db, volume, cut->holder, err) < 0)
        return -1;
    if (cut->count == CUT_MEMBERS_MAX)
        return fail(err, ERR_INVALID, "more than %d volumes cannot be cut at once",
                    CUT_MEMBERS_MAX);
    if (volume_is_foreign(volume))
        return fail(err, ERR_UNSUPPORTED,
                    "volume '%s' lies on a filesystem of type '%s', which has no snapshots here",
                    volume->name, pairs_get(&volume->options, "type"));
    if (cut->members == NULL)
        cut->members = arena_array(task->mem, CUT_MEMBERS_MAX, sizeof(*cut->members));
    struct cut_member *member = &cut->members[cut->count];
    uuid_make(id);
    *member = (struct cut_member){ .volume = *volume, .snapshot = *pattern };
    member->source_fd = member->place_fd = -1;
    struct snapshot *snapshot = &member->snapshot;
    snapshot->id = arena_strdup(task->mem, id);
    snapshot->volume_id = volume->id;
    snapshot->volume_name = volume->name;
    snapshot->pool_id = volume->pool_id;
    snapshot->state = "ready";
    snapshot->created_ms = clock_now_ms();
    if (snapshot->name == NULL)
        snapshot->name = snapshot_name_of_now(task, volume->id, "");
    /* Asked before the work; the row's key decides in the end.  A repeat by key is another matter.
     */
    int found = task->idempotency_key != NULL ? 0
                                              : store_snapshot_find(task->db, task->mem, volume->id,
                                                                    snapshot->name, &taken, err);
    if (found != 0)
        return found < 0 ? -1
                         : fail(err, ERR_EXISTS, "snapshot '%s@%s' exists already", volume->name,
                                snapshot->name);
    if (space_check(task, volume->pool_id,
                    arena_printf(task->mem, "snapshot '%s@%s'", volume->name, snapshot->name),
                    err) < 0)
        return -1;
    claim_enter(&member->claim, snapshot->id);
    cut->count++;
    return 0;
}

int cut_take(struct task *task, struct cut *cut, struct error *err)
{
    int rc = open_members(task, cut, err);

    if (rc == 0)
        rc = take_fenced(task, cut, err);
    if (rc == 0)
        rc = settle(cut, err);
    if (rc == 0)
        rc = separate(cut, err);
    close_members(cut);
    if (rc < 0)
        return cut->count == 1
                   ? error_prefix(err, "cannot cut volume '%s'", cut->members[0].volume.name)
                   : error_prefix(err, "cannot cut %zu volumes", cut->count);
    for (size_t i = 0; i < cut->count; i++) {
        struct snapshot *snapshot = &cut->members[i].snapshot;
        snapshot->fence = cut->fence.kind;
        snapshot->pause_ns = cut->pause_ns;
        snapshot->warnings = cut->fence.unfenced;
        snapshot->cost = cut->members[i].pool->driver->clone_cost;
    }
    return 0;
}

int cut_insert(struct task *task, struct cut *cut, struct error *err)
{
    if (cut->count > 1 && fence_check_whole(&cut->fence, err) < 0)
        return -1;
    for (size_t i = 0; i < cut->count; i++)
        if (insert_member(task, cut, &cut->members[i], err) < 0)
            return -1;
    return 0;
}

void cut_discard(struct task *task, struct cut *cut)
{
    for (size_t i = 0; i < cut->count; i++)
        volume_data_discard(task, cut->members[i].snapshot.pool_id, cut->members[i].snapshot.id);
}

void cut_done(struct cut *cut)
{
    for (size_t i = 0; i < cut->count; i++)
        claim_leave(&cut->members[i].claim);
}

bool cut_has_place(const struct cut_member *member)
{
    return member->pool != NULL && member->place_fd != member->pool->snapshots_fd;
}

static int open_members(struct task *task, struct cut *cut, struct error *err)
{
    for (size_t i = 0; i < cut->count; i++) {
        struct cut_member *member = &cut->members[i];
        if (pool_open(task, member->volume.pool_id, &member->pool, err) < 0)
            return -1;
        if (member->pool->driver->clone == NULL)
            return fail(err, ERR_UNSUPPORTED, "driver '%s' has no snapshots",
                        member->pool->driver->name);
        member->source_fd =
            volume_source_open(member->pool, &member->volume, member->pool->id, err);
        if (member->source_fd < 0 || open_place(cut, member, err) < 0)
            return -1;
    }
    return 0;
}

static void close_members(struct cut *cut)
{
    for (size_t i = 0; i < cut->count; i++) {
        struct cut_member *member = &cut->members[i];
        sys_close_fd(&member->source_fd);
        if (cut_has_place(member))
            sys_close_fd(&member->place_fd);
        member->place_fd = -1;
    }
}

static int open_place(const struct cut *cut, struct cut_member *member, struct error *err)
{
    const struct driver_pool *pool = member->pool;
    const char *id = member->snapshot.id;

    member->place_fd = pool->snapshots_fd;
    if (cut->count == 1 || !pool->driver->wants_directories)
        return 0;
    member->place_fd = -1;
    int rc = sys_mkdirat(pool->tmp_fd, id, PLACE_MODE);
    if (rc >= 0)
        rc = sys_openat(pool->tmp_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (rc < 0)
        return fail_sys(err, rc, "cannot make '%s' in pool '%s'", id, pool->name);
    member->place_fd = rc;
    return 0;
}

static int take_fenced(struct task *task, struct cut *cut, struct error *err)
{
    cleanup_fence struct fence fence = { 0 };
    const struct cut_member *slowest = NULL;
    struct fence_target *targets = arena_array(task->mem, cut->count, sizeof(*targets));

    for (size_t i = 0; i < cut->count; i++)
        targets[i] = (struct fence_target){ &cut->members[i].volume, cut->members[i].source_fd };
    if (fence_raise(task, targets, cut->count, cut->freeze_timeout_ms, &fence, err) < 0 ||
        cut_copy(cut, fence.deadline_ms, &slowest, err) < 0 ||
        check_deadline(&fence, slowest, err) < 0 || fence_lower(&fence, &cut->pause_ns, err) < 0)
        return -1;
    cut->fence = fence;
    return 0;
}

/* The leases end with it, and would say so, but not whose fault it was. */
static int check_deadline(const struct fence *fence, const struct cut_member *slowest,
                          struct error *err)
{
    if (fence->deadline_ms == 0 || clock_mono_ms() <= fence->deadline_ms)
        return 0;
    return fail(err, ERR_TIMEOUT,
                "writers would stand still for too long: volume '%s' took %lld ms",
                slowest->volume.name, (long long)slowest->took_ms);
}

/* Moves what was made in places of their own to where it belongs. */
static int settle(struct cut *cut, struct error *err)
{
    bool is_moved = false;

    for (size_t i = 0; i < cut->count; i++) {
        if (!cut_has_place(&cut->members[i]))
            continue;
        is_moved = true;
        if (settle_member(&cut->members[i], err) < 0)
            return -1;
    }
    return is_moved ? sync_pools(cut, err) : 0;
}

static int separate(const struct cut *cut, struct error *err)
{
    for (size_t i = 0; i < cut->count; i++) {
        const struct cut_member *member = &cut->members[i];
        const struct driver_pool *pool = member->pool;
        if (pool->driver->separate != NULL &&
            pool->driver->separate(pool, pool->volumes_fd, member->volume.data_id, err) < 0)
            return -1;
    }
    return 0;
}

static int settle_member(const struct cut_member *member, struct error *err)
{
    const struct driver_pool *pool = member->pool;
    const char *id = member->snapshot.id;
    int rc = sys_renameat2(member->place_fd, id, pool->snapshots_fd, id, RENAME_NOREPLACE);

    if (rc >= 0)
        rc = sys_unlinkat(pool->tmp_fd, id, AT_REMOVEDIR);
    if (rc < 0)
        return fail_sys(err, rc, "cannot move '%s' in pool '%s'", id, pool->name);
    return pool->driver->seal == NULL ? 0
                                      : pool->driver->seal(pool, pool->snapshots_fd, id, true, err);
}

static int sync_pools(const struct cut *cut, struct error *err)
{
    for (size_t i = 0; i < cut->count; i++) {
        const struct driver_pool *pool = cut->members[i].pool;
        size_t first = 0;
        while (cut->members[first].pool != pool)
            first++;
        if (first != i || !cut_has_place(&cut->members[i]))
            continue;
        int rc = sys_fsync(pool->snapshots_fd);
        if (rc < 0)
            return fail_sys(err, rc, "cannot sync pool '%s'", pool->name);
    }
    return 0;
}

static int insert_member(struct task *task, const struct cut *cut, const struct cut_member *member,
                         struct error *err)
{
    const struct volume *volume = &member->volume;
    struct volume now;
    int found = store_volume_find_id(task->db, task->mem, volume->id, &now, err);

    if (found < 0 ||
        (found > 0 && store_volume_check_free_but(task->db, &now, cut->holder, err) < 0))
        return -1;
    if (found == 0 || strcmp(now.data_id, volume->data_id) != 0)
        return fail(err, ERR_CONFLICT, "volume '%s' was replaced or removed while it was cut",
                    volume->name);
    if (store_snapshot_insert(task->db, &member->snapshot, err) < 0)
        return err->code != ERR_EXISTS ? -1
                                       : fail(err, ERR_EXISTS, "snapshot '%s@%s' exists already",
                                              volume->name, member->snapshot.name);
    return snapshot_event(task, "create", &member->snapshot, err);
}
