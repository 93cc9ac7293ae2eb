/* SPDX-License-Identifier: Apache-2.0 */
/* Finding golden states, holding them, letting go of them. */
#include "core/replica/golden.h"

#include <string.h>

#include "base/clock.h"
#include "core/operation/event.h"
#include "core/snapshot/set.h"
#include "core/snapshot/snapshot.h"
#include "store/replica.h"
#include "store/snapshot_hold.h"

static int find_snapshot(struct task *task, const char *ref, const char *at, struct golden *golden,
                         struct error *err);
static const char *tag_of(struct task *task, const char *group);
static int collect(struct task *task, const char *group, struct golden **used, size_t *count,
                   struct error *err);
static bool is_used(const struct golden *used, size_t count, const char *snapshot_id);

int golden_find(struct task *task, const char *ref, struct golden *golden, struct error *err)
{
    struct snapshot_set set;
    const char *at = strchr(ref, '@');

    if (at != NULL)
        return find_snapshot(task, ref, at, golden, err);
    if (set_get(task, ref, &set, err) < 0)
        return -1;
    if (set.member_count < (size_t)set.size)
        return fail(err, ERR_CONFLICT, "set '%s' is not whole: %zu of its %lld members are left",
                    set.name, set.member_count, (long long)set.size);
    *golden = (struct golden){ set.id, set.name, set.members, set.member_count };
    return 0;
}

const struct snapshot *golden_of_volume(const struct golden *golden, const char *volume_id)
{
    for (size_t i = 0; i < golden->count; i++)
        if (strcmp(golden->members[i].volume_id, volume_id) == 0)
            return &golden->members[i];
    return NULL;
}

int golden_hold(struct task *task, const char *group, const struct golden *golden,
                struct error *err)
{
    for (size_t i = 0; i < golden->count; i++) {
        const struct hold hold = {
            .snapshot_id = golden->members[i].id,
            .tag = tag_of(task, group),
            .kind = "base",
            .actor = task->actor,
            .created_ms = clock_now_ms(),
        };
        if (store_hold_insert(task->db, &hold, err) < 0 && err->code != ERR_EXISTS)
            return err->code == ERR_CONFLICT
                       ? fail(err, ERR_CONFLICT, "'%s' was removed meanwhile", golden->name)
                       : -1;
    }
    return 0;
}

int golden_release_unused(struct task *task, const char *group, struct error *err)
{
    struct golden *used = NULL;
    size_t used_count = 0;
    struct hold *holds = NULL;
    int count = store_hold_list_tagged(task->db, task->mem, tag_of(task, group), &holds, err);

    if (count <= 0)
        return count;
    if (collect(task, group, &used, &used_count, err) < 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (!is_used(used, used_count, holds[i].snapshot_id) &&
            store_hold_delete(task->db, holds[i].snapshot_id, holds[i].tag, err) < 0)
            return -1;
    return 0;
}

static int find_snapshot(struct task *task, const char *ref, const char *at, struct golden *golden,
                         struct error *err)
{
    const char *volume = arena_strndup(task->mem, ref, (size_t)(at - ref));
    struct snapshot *snapshot = arena_alloc(task->mem, sizeof(*snapshot));

    if (snapshot_get(task, volume, at + 1, snapshot, err) < 0)
        return -1;
    *golden = (struct golden){
        .id = arena_printf(task->mem, "%s@%s", snapshot->volume_id, snapshot->id),
        .name = arena_printf(task->mem, "%s@%s", snapshot->volume_name, snapshot->name),
        .members = snapshot,
        .count = 1,
    };
    return 0;
}

static const char *tag_of(struct task *task, const char *group)
{
    return arena_printf(task->mem, "replicas.%s", group);
}

/* What cannot be found any more holds nothing. */
static int collect(struct task *task, const char *group, struct golden **used, size_t *count,
                   struct error *err)
{
    struct replica *list = NULL;
    struct replica_group row = { 0 };
    int replicas = store_replica_list(task->db, task->mem, group, &list, err);
    int groups = replicas < 0 ? -1 : store_group_find(task->db, task->mem, group, &row, err);

    if (groups < 0)
        return -1;
    *used = arena_array(task->mem, (size_t)replicas + 2, sizeof(**used));
    for (int i = 0; i < replicas + groups; i++) {
        const char *id = i < replicas ? list[i].source_id : row.source_id;
        bool is_known = false;
        for (size_t k = 0; k < *count; k++)
            is_known = is_known || strcmp((*used)[k].id, id) == 0;
        if (!is_known && golden_find(task, id, &(*used)[*count], err) == 0)
            (*count)++;
    }
    return 0;
}

static bool is_used(const struct golden *used, size_t count, const char *snapshot_id)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < used[i].count; k++)
            if (strcmp(used[i].members[k].id, snapshot_id) == 0)
                return true;
    return false;
}
