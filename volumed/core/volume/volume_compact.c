/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lowest layers of a stack are copied, as they show, into a new one, which then takes their
 * place in one tree after the other; each change of a tree is one rename.  What is copied never
 * changes, so containers may run meanwhile; only for the change of its stack must a tree be at
 * rest.
 *
 * How many: as many as all trees that have any of them have, if that is two at least, since then
 * the former layers go and nothing is kept twice.  Else all but a few, and snapshots that need
 * the former layers keep them.
 */
#include "core/volume/volume_compact.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/attachment/attachment_snapshot.h"
#include "core/fence/fence.h"
#include "core/operation/claim.h"
#include "core/operation/op.h"
#include "core/pool/pool.h"
#include "core/service.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_event.h"
#include "core/volume/volume_view.h"
#include "driver/tree_copy.h"
#include "mount/overlay.h"
#include "store/snapshot.h"
#include "store/volume.h"

#define MANY          12        /* layers, from which on it is worth the work */
#define KEEP          6         /* of them, when others must be kept twice */
#define PRIORITY_IDLE (3 << 13) /* ioprio_set(2): disks serve everybody else first */

/* A tree of the same pool, and how many of its lowest layers are the volume's lowest. */
struct relative {
    const struct volume *volume;     /* or */
    const struct snapshot *snapshot; /* … */
    size_t common;
};

struct compaction {
    struct volume volume;
    const struct driver_pool *pool;
    const char **layers; /* the volume's sealed ones, top first */
    size_t layer_count;
    struct relative *relatives; /* not the volume itself */
    size_t relative_count;
    struct driver_merge merge;
    size_t merged; /* how many layers become one */
};

static int plan(struct task *task, const struct volume *volume, struct compaction *compaction,
                struct error *err);
static int find_relatives(struct task *task, struct compaction *compaction, struct error *err);
static void add_relative(struct task *task, struct compaction *compaction, enum tree_place place,
                         const char *name, const struct relative *relative);
static size_t choose(const struct compaction *compaction);
static int check_idle(struct task *task, const struct compaction *compaction, struct error *err);
static int apply(struct task *task, struct op *op, struct error *err);
static int copy(const struct compaction *compaction, struct error *err);
static int give_volume(struct task *task, const struct compaction *compaction,
                       const struct volume *volume, struct error *err);
static int give_snapshot(struct task *task, const struct compaction *compaction,
                         const struct snapshot *snapshot, struct error *err);
static int finish(struct task *task, struct op *op, struct error *err);
static int revert(struct task *task, struct op *op, struct error *err);
static size_t list_length(const char *const *list);

static const struct op_kind compact_kind = {
    .name = "volume.compact",
    .apply = apply,
    .finish = finish,
    .revert = revert,
};

int volume_compact(struct task *task, const struct volume *volume, struct error *err)
{
    cleanup_claim struct claim claim = { 0 };
    struct compaction compaction = { 0 };
    char id[UUID_SIZE];
    int wanted = plan(task, volume, &compaction, err);

    if (wanted <= 0 || check_idle(task, &compaction, err) < 0)
        return wanted <= 0 ? wanted : -1;
    uuid_make(id);
    compaction.merge.id = id;
    claim_enter(&claim, id);
    cleanup_op struct op op = {
        .kind = &compact_kind,
        .subject = arena_printf(task->mem, "volume '%s'", volume->name),
        .data = &compaction,
    };
    return op_run(task, &op, err) < 0 ? -1 : 1;
}

int volume_compact_due(struct task *task, struct error *err)
{
    struct volume *list = NULL;
    int count = store_volume_list(task->db, task->mem, &list, err);

    for (int i = 0; i < count && !task->service->is_stopping; i++) {
        struct error reason; /* one volume must not hide another */
        if (volume_compact(task, &list[i], &reason) < 0 && reason.code != ERR_BUSY)
            log_warn("layers not compacted volume=%s error=\"%s\"", list[i].name, reason.message);
    }
    return count < 0 ? -1 : 0;
}

/* 1: there is something to do. */
static int plan(struct task *task, const struct volume *volume, struct compaction *compaction,
                struct error *err)
{
    struct driver_stack stack;

    *compaction = (struct compaction){ .volume = *volume };
    if (pool_open(task, volume->pool_id, &compaction->pool, err) < 0)
        return err->code == ERR_CONFLICT ? 0 : -1; /* told by reconcile */
    const struct driver_pool *pool = compaction->pool;
    if (volume_is_foreign(volume) || pool->driver->merge_begin == NULL)
        return 0;
    if (pool->driver->stack(pool, pool->volumes_fd, volume->data_id, task->mem, &stack, err) < 0)
        return -1;
    compaction->layers = stack.layers;
    compaction->layer_count = list_length(stack.layers) - 1; /* but the floor */
    if (compaction->layer_count < MANY)
        return 0;
    if (find_relatives(task, compaction, err) < 0)
        return -1;
    compaction->merged = choose(compaction);
    const char **replaced = arena_array(task->mem, compaction->merged + 1, sizeof(*replaced));
    for (size_t i = 0; i < compaction->merged; i++)
        replaced[i] = stack.layers[compaction->layer_count - compaction->merged + i];
    compaction->merge.replaced = replaced;
    return 1;
}

static int find_relatives(struct task *task, struct compaction *compaction, struct error *err)
{
    struct volume *volumes = NULL;
    struct snapshot *snapshots = NULL;
    int volume_count = store_volume_list(task->db, task->mem, &volumes, err);
    int snapshot_count =
        volume_count < 0 ? -1 : store_snapshot_list(task->db, task->mem, NULL, &snapshots, err);

    if (snapshot_count < 0)
        return -1;
    compaction->relatives =
        arena_array(task->mem, (size_t)volume_count + (size_t)snapshot_count + 1,
                    sizeof(*compaction->relatives));
    for (int i = 0; i < volume_count; i++)
        if (strcmp(volumes[i].pool_id, compaction->volume.pool_id) == 0 &&
            strcmp(volumes[i].id, compaction->volume.id) != 0)
            add_relative(task, compaction, TREE_IN_VOLUMES, volumes[i].data_id,
                         &(struct relative){ .volume = &volumes[i] });
    for (int i = 0; i < snapshot_count; i++)
        if (strcmp(snapshots[i].pool_id, compaction->volume.pool_id) == 0)
            add_relative(task, compaction, TREE_IN_SNAPSHOTS, snapshots[i].id,
                         &(struct relative){ .snapshot = &snapshots[i] });
    return 0;
}

/* One that cannot be read, or is gone by now, has its links to what it needs. */
static void add_relative(struct task *task, struct compaction *compaction, enum tree_place place,
                         const char *name, const struct relative *relative)
{
    const struct driver_pool *pool = compaction->pool;
    int dirfd = place == TREE_IN_VOLUMES ? pool->volumes_fd : pool->snapshots_fd;
    struct driver_stack stack;
    struct error ignored;
    size_t common = 0;

    if (pool->driver->stack(pool, dirfd, name, task->mem, &stack, &ignored) < 0)
        return;
    size_t count = list_length(stack.layers) - 1;
    while (common < count && common < compaction->layer_count &&
           strcmp(stack.layers[count - 1 - common],
                  compaction->layers[compaction->layer_count - 1 - common]) == 0)
        common++;
    if (common == 0)
        return;
    struct relative *added = &compaction->relatives[compaction->relative_count++];
    *added = *relative;
    added->common = common;
}

static size_t choose(const struct compaction *compaction)
{
    size_t least = compaction->layer_count;

    for (size_t i = 0; i < compaction->relative_count; i++)
        if (compaction->relatives[i].common < least)
            least = compaction->relatives[i].common;
    return least >= 2 ? least : compaction->layer_count - KEEP;
}

/* Before the work. */
static int check_idle(struct task *task, const struct compaction *compaction, struct error *err)
{
    cleanup_fence struct fence fence = { 0 };
    const struct fence_target target = { &compaction->volume, -1 };

    return fence_raise(task, &target, 1, 0, &fence, err);
}

static int apply(struct task *task, struct op *op, struct error *err)
{
    const struct compaction *compaction = op->data;

    if (copy(compaction, err) < 0 || give_volume(task, compaction, &compaction->volume, err) < 0)
        return -1;
    for (size_t i = 0; i < compaction->relative_count; i++) {
        const struct relative *relative = &compaction->relatives[i];
        struct error reason; /* in use, or gone: it keeps what it has */
        if (relative->common < compaction->merged)
            continue;
        int rc = relative->volume != NULL
                     ? give_volume(task, compaction, relative->volume, &reason)
                     : give_snapshot(task, compaction, relative->snapshot, &reason);
        if (rc < 0)
            log_debug("layers are kept error=\"%s\"", reason.message);
    }
    return 0;
}

/* The thread's disk requests wait behind all others meanwhile. */
static int copy(const struct compaction *compaction, struct error *err)
{
    const struct driver_pool *pool = compaction->pool;
    const struct driver_merge *merge = &compaction->merge;
    cleanup_arena struct arena *mem = arena_new();
    const char **layers = arena_array(mem, compaction->merged + 2, sizeof(*layers));

    for (size_t i = 0; i < compaction->merged; i++)
        layers[i] = merge->replaced[i];
    layers[compaction->merged] = compaction->layers[compaction->layer_count]; /* the floor */
    cleanup_fd int target_fd = pool->driver->merge_begin(pool, merge->id, err);
    cleanup_fd int mount_fd =
        target_fd < 0 ? -1
                      : overlay_stack_mount(
                            &(struct overlay_stack){ .source = "volumed", .layers = layers }, err);
    if (mount_fd < 0)
        return -1;
    cleanup_fd int source_fd = sys_openat(mount_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (source_fd < 0)
        return fail_sys(err, source_fd, "cannot open layers of pool '%s'", pool->name);
    long before = syscall(SYS_ioprio_get, 1, 0); /* of this thread */
    (void)syscall(SYS_ioprio_set, 1, 0, PRIORITY_IDLE);
    int rc = tree_copy(&(struct tree_copy_spec){ .source_fd = source_fd,
                                                 .target_fd = target_fd,
                                                 .is_durable = true },
                       err);
    (void)syscall(SYS_ioprio_set, 1, 0, before);
    return rc;
}

static int give_volume(struct task *task, const struct compaction *compaction,
                       const struct volume *volume, struct error *err)
{
    cleanup_fence struct fence fence = { 0 };
    const struct driver_pool *pool = compaction->pool;
    const struct fence_target target = { volume, -1 };

    if (fence_raise(task, &target, 1, 0, &fence, err) < 0)
        return -1;
    return pool->driver->merge_end(pool, pool->volumes_fd, volume->data_id, &compaction->merge,
                                   err);
}

static int give_snapshot(struct task *task, const struct compaction *compaction,
                         const struct snapshot *snapshot, struct error *err)
{
    cleanup_claim struct claim claim = { 0 };
    cleanup_view_rest struct view_rest rest = { 0 };
    const struct driver_pool *pool = compaction->pool;

    claim_enter(&claim, snapshot->id);
    if (snapshot_check_unpinned(task, snapshot, err) < 0 ||
        view_put_to_rest(pool, TREE_IN_SNAPSHOTS, snapshot->id, &rest, err) < 0)
        return -1;
    return pool->driver->merge_end(pool, pool->snapshots_fd, snapshot->id, &compaction->merge, err);
}

static int finish(struct task *task, struct op *op, struct error *err)
{
    const struct compaction *compaction = op->data;
    struct pair items[] = { { "layers", arena_printf(task->mem, "%zu", compaction->layer_count) },
                            { "merged", arena_printf(task->mem, "%zu", compaction->merged) } };

    return volume_event(task, "compact", &compaction->volume,
                        &(struct pairs){ ARRAY_SIZE(items), items }, err);
}

/* Where a tree has the new layer already it is as good as the former ones. */
static int revert(struct task *task, struct op *op, struct error *err)
{
    const struct compaction *compaction = op->data;

    (void)err;
    volume_data_discard(task, compaction->volume.pool_id, compaction->merge.id);
    return 0;
}

static size_t list_length(const char *const *list)
{
    size_t length = 0;

    while (list[length] != NULL)
        length++;
    return length;
}
