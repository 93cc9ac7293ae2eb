/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing a pool with its disk.  The rows go first, which nothing but an empty pool lets happen
 * and after which nobody can put a volume there; then the mount, then the image.
 *
 *    row   mount   image     a crash here, resumed
 *  ── rows gone, intent on the pool ── prepare
 *    –     up      there     goes on
 *    –     –       there     goes on
 *    –     –       –         goes on
 *  ── intent gone ──────────────────── finish
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/sys.h"
#include "core/operation/op.h"
#include "core/operation/storage_kinds.h"
#include "core/pool/pool.h"
#include "core/pool/pool_disk.h"
#include "core/service.h"
#include "store/pool.h"
#include "store/pool_disk.h"

#define DOWN_TRIES   20
#define DOWN_STEP_MS 100

struct removal {
    struct pool pool;
    struct pool_disk disk;
};

static int prepare(struct task *task, struct op *op, struct error *err);
static int load(struct task *task, struct op *op, struct error *err);
static int apply(struct task *task, struct op *op, struct error *err);
static int take_down(const struct pool *pool, struct error *err);
static int finish(struct task *task, struct op *op, struct error *err);
static int revert(struct task *task, struct op *op, struct error *err);
static int abandon(struct task *task, struct op *op, struct error *err);

const struct op_kind pool_disk_remove_kind = {
    .name = "pool.remove",
    .prepare = prepare,
    .load = load,
    .apply = apply,
    .finish = finish,
    .revert = revert,
    .abandon = abandon,
};

int pool_disk_remove(struct task *task, const struct pool *pool, const struct pool_disk *disk,
                     struct error *err)
{
    struct removal removal = { *pool, *disk };
    cleanup_op struct op op = {
        .kind = &pool_disk_remove_kind,
        .subject = arena_printf(task->mem, "pool '%s'", pool->name),
        .objects = {
            arena_printf(task->mem, "pool:%s", pool->id),
            arena_printf(task->mem, "pool-name:%s", pool->name),
            arena_printf(task->mem, "disk:%s", disk->path),
        },
        .data = &removal,
    };

    return op_run(task, &op, err);
}

static int prepare(struct task *task, struct op *op, struct error *err)
{
    const struct removal *removal = op->data;

    if (store_pool_delete(task->db, removal->pool.id, err) < 0) /* the disk's row goes with it */
        return err->code == ERR_CONFLICT ? pool_fail_not_empty(task, &removal->pool, err) : -1;
    op->note = json_object();
    json_set(op->note, "pool", pool_to_json(&removal->pool));
    json_set(op->note, "disk", pool_disk_to_json(&removal->disk));
    return 0;
}

static int load(struct task *task, struct op *op, struct error *err)
{
    struct removal *removal = arena_alloc(task->mem, sizeof(*removal));

    op->data = removal;
    if (pool_from_json(task, json_member(op->note, "pool"), &removal->pool, err) < 0 ||
        pool_disk_from_json(task, json_member(op->note, "disk"), &removal->disk, err) < 0)
        return -1;
    removal->disk.pool_id = removal->pool.id;
    return 0;
}

static int apply(struct task *task, struct op *op, struct error *err)
{
    const struct removal *removal = op->data;

    if (pool_retire(task, removal->pool.id, err) < 0 || take_down(&removal->pool, err) < 0)
        return -1;
    if (removal->disk.is_device)
        return 0;
    int rc = sys_unlinkat(AT_FDCWD, removal->disk.path, 0);
    return rc < 0 && rc != -ENOENT ? fail_sys(err, rc, "cannot remove '%s'", removal->disk.path)
                                   : 0;
}

/* Threads of ours may be at work in it still, with descriptors that they have got from it. */
static int take_down(const struct pool *pool, struct error *err)
{
    int rc = pool_disk_down(pool, err);

    for (int tries = 0; rc < 0 && err->code == ERR_BUSY && tries < DOWN_TRIES; tries++) {
        (void)poll(NULL, 0, DOWN_STEP_MS); /* sleeps */
        rc = pool_disk_down(pool, err);
    }
    return rc;
}

static int finish(struct task *task, struct op *op, struct error *err)
{
    const struct removal *removal = op->data;

    return pool_event(task, "destroy", &removal->pool, err);
}

/* Whoever asks for the pool next opens it anew. */
static int revert(struct task *task, struct op *op, struct error *err)
{
    const struct removal *removal = op->data;

    return pool_disk_up(task, &removal->pool, &removal->disk, err);
}

static int abandon(struct task *task, struct op *op, struct error *err)
{
    const struct removal *removal = op->data;

    return store_pool_insert(task->db, &removal->pool, err) < 0
               ? -1
               : store_pool_disk_insert(task->db, &removal->disk, err);
}
