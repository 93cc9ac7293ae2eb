/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Promoting: the clone costs what a clone of the snapshot costs, and what was written over it is
 * copied, or shared where box and pool are one filesystem.  Built under a new UUID; the transaction
 * that names it looks that the scratch is still the one, and that nobody wrote to it meanwhile.
 */
#include "core/attachment/scratch_promote.h"

#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/sys.h"
#include "core/attachment/attachment_end.h"
#include "core/container/container.h"
#include "core/fence/freezer.h"
#include "core/operation/claim.h"
#include "core/operation/op.h"
#include "core/pool/pool.h"
#include "core/service.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_draft.h"
#include "driver/tree_copy.h"
#include "store/volume.h"

#define FREEZE_TIMEOUT_MS 60000

struct promotion {
    struct container container;
    const char *destination;
    struct attachment row;
    struct volume source;
    struct volume_draft draft;
    struct claim claim;
};

static int plan(struct task *task, struct promotion *promotion, const char *name,
                struct error *err);
static int note_parent(struct task *task, struct promotion *promotion);
static int run(struct task *task, struct promotion *promotion, struct volume *volume,
               struct error *err);
static int promote_apply(struct task *task, struct op *op, struct error *err);
static int merge_still(struct task *task, const struct promotion *promotion,
                       const struct driver_pool *pool, struct error *err);
static int merge(struct task *task, const struct promotion *promotion,
                 const struct driver_pool *pool, int64_t deadline_ms, struct error *err);
static int promote_finish(struct task *task, struct op *op, struct error *err);
static int promote_revert(struct task *task, struct op *op, struct error *err);

static const struct op_kind promote_kind = {
    .name = "scratch.promote",
    .apply = promote_apply,
    .finish = promote_finish,
    .revert = promote_revert,
};

int scratch_promote(struct task *task, const char *container_ref, const char *destination,
                    const char *name, struct volume *volume, struct error *err)
{
    struct promotion promotion = { .destination = path_clean(task->mem, destination) };

    if (container_get(task, container_ref, &promotion.container, err) < 0)
        return -1;
    int rc = plan(task, &promotion, name, err);
    if (rc == 0)
        rc = run(task, &promotion, volume, err);
    container_done(&promotion.container);
    return rc;
}

static int plan(struct task *task, struct promotion *promotion, const char *name, struct error *err)
{
    const struct container *container = &promotion->container;
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume taken;
    int found = attachment_find(task, container->id, promotion->destination, &promotion->row, err);

    if (found < 0 || attachment_check_settled(container, err) < 0)
        return -1;
    if (found == 0 || !promotion->row.is_scratch)
        return fail(err, ERR_NOT_FOUND, "container '%s' has no scratch at '%s'", container->name,
                    promotion->destination);
    spec.name = name;
    if (volume_get(task, promotion->row.volume_id, &promotion->source, err) < 0)
        return -1;
    spec.pool = NULL;
    if (volume_draft(task, &spec, &promotion->draft, err) < 0)
        return -1;
    found = task->idempotency_key != NULL
                ? 0
                : store_volume_find(task->db, task->mem, name, &taken, err);
    if (found != 0 && (found < 0 || strcmp(taken.name, name) == 0))
        return found < 0 ? -1 : fail(err, ERR_EXISTS, "volume '%s' exists already", name);
    promotion->draft.volume.pool_id = promotion->source.pool_id;
    promotion->draft.volume.pool_name = promotion->source.pool_name;
    return note_parent(task, promotion);
}

static int note_parent(struct task *task, struct promotion *promotion)
{
    struct volume *volume = &promotion->draft.volume;
    cleanup_json json_t *parent = json_object();

    json_set(parent, "volume", json_text(promotion->source.name));
    json_set(parent, "volume_id", json_text(promotion->source.id));
    json_set(parent, "snapshot", json_text(promotion->row.snapshot));
    json_set(parent, "snapshot_id", json_text(promotion->row.snapshot_id));
    json_set(parent, "container", json_text(promotion->container.name));
    volume->parent = json_write(task->mem, parent);
    volume->is_seeded = true; /* it has contents, if only in having been emptied */
    volume->seeded_from = promotion->source.seeded_from;
    return 0;
}

static int run(struct task *task, struct promotion *promotion, struct volume *volume,
               struct error *err)
{
    const char *id = "";
    cleanup_op struct op op = {
        .kind = &promote_kind,
        .subject = arena_printf(task->mem, "volume '%s' from '%s' of container '%s'",
                                promotion->draft.volume.name, promotion->destination,
                                promotion->container.name),
        .data = promotion,
        .result = json_object(),
    };

    json_set(op.result, "id", json_text(promotion->draft.volume.id));
    claim_enter(&promotion->claim, promotion->draft.volume.data_id);
    int rc = op_run(task, &op, err);
    claim_leave(&promotion->claim);
    if (rc < 0 || json_get_text(op.result, "id", task->mem, &id, err) < 0)
        return -1;
    return volume_get(task, id, volume, err);
}

static int promote_apply(struct task *task, struct op *op, struct error *err)
{
    const struct promotion *promotion = op->data;
    const struct snapshot snapshot = {
        .id = promotion->row.snapshot_id,
        .name = promotion->row.snapshot,
        .volume_name = promotion->source.name,
    };
    const struct driver_pool *pool = NULL;

    if (pool_open(task, promotion->source.pool_id, &pool, err) < 0)
        return -1;
    cleanup_fd int snapshot_fd =
        snapshot_source_open(pool, &snapshot, promotion->draft.volume.pool_id, err);
    if (snapshot_fd < 0 ||
        volume_data_clone(task, &promotion->draft.volume, snapshot_fd, pool, 0, err) < 0)
        return -1;
    return merge_still(task, promotion, pool, err);
}

/* While nobody writes: a container that runs is frozen. */
static int merge_still(struct task *task, const struct promotion *promotion,
                       const struct driver_pool *pool, struct error *err)
{
    const struct freezer *freezer = task->service->freezer;
    const struct container *container = &promotion->container;
    struct error failure;
    void *lease = NULL;
    int64_t pause_ns;

    if (!container_is_live(container))
        return merge(task, promotion, pool, 0, err);
    if (freezer == NULL)
        return fail(err, ERR_CONFLICT, "container '%s' runs; stop it first", container->name);
    if (freezer->freeze(task, container->id, FREEZE_TIMEOUT_MS, &lease, err) < 0)
        return error_prefix(err, "cannot freeze container '%s'", container->name);
    int64_t deadline_ms = clock_mono_ms() + FREEZE_TIMEOUT_MS;
    int rc = merge(task, promotion, pool, deadline_ms, err);
    if (freezer->thaw(task, lease, &pause_ns, &failure) < 0 && rc == 0) {
        *err = failure;
        rc = error_prefix(err, "container '%s' stood still too long; stop it first",
                          container->name);
    }
    return rc;
}

static int merge(struct task *task, const struct promotion *promotion,
                 const struct driver_pool *pool, int64_t deadline_ms, struct error *err)
{
    struct attachment_mount mount;

    /* Opening it makes what is missing: a scratch that never was mounted is empty. */
    if (attachment_open_one(task, &promotion->row, &mount, err) < 0)
        return -1;
    attachment_close(&mount, 1);
    cleanup_fd int upper_fd =
        sys_openat(AT_FDCWD, mount.scratch.upper, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    cleanup_fd int target_fd = volume_data_open(pool, &promotion->draft.volume, err);
    if (target_fd < 0)
        return -1;
    if (upper_fd < 0)
        return fail_sys(err, upper_fd, "cannot open the scratch");
    return tree_copy(
        &(struct tree_copy_spec){
            .source_fd = upper_fd,
            .target_fd = target_fd,
            .is_shared = true,
            .is_upper = true,
            .is_durable = true,
            .deadline_ms = deadline_ms,
        },
        err);
}

static int promote_finish(struct task *task, struct op *op, struct error *err)
{
    const struct promotion *promotion = op->data;
    const struct container *then = &promotion->container;
    cleanup_container struct container now = { 0 };
    struct attachment row;

    if (container_get(task, then->id, &now, err) < 0)
        return -1;
    int found = attachment_find(task, then->id, promotion->destination, &row, err);
    if (found < 0)
        return -1;
    bool is_same = found > 0 && row.scratch_id != NULL &&
                   strcmp(row.scratch_id, promotion->row.scratch_id) == 0 && now.pid == then->pid &&
                   now.started_ns == then->started_ns;
    if (!is_same)
        return fail(err, ERR_BUSY, "container '%s' was started or stopped meanwhile; try again",
                    then->name);
    return volume_draft_insert(task, &promotion->draft, err);
}

static int promote_revert(struct task *task, struct op *op, struct error *err)
{
    const struct promotion *promotion = op->data;

    (void)err;
    volume_data_discard(task, promotion->draft.volume.pool_id, promotion->draft.volume.data_id);
    return 0;
}
