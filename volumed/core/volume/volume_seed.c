/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filling an empty volume from an image: built aside as new data, then the row changes to it.
 *
 * Nobody may hold the old, empty data meanwhile.  The intent is written in a transaction that also
 * sees no container about to run with the volume, and a container that starts looks for intents in
 * the transaction in which it becomes 'starting' (attachment_check_start): one of the two sees the
 * other.
 */
#include "core/volume/volume_seed.h"

#include <stdbool.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/fence/liveness.h"
#include "core/operation/claim.h"
#include "core/operation/op.h"
#include "core/operation/storage_kinds.h"
#include "core/pool/pool.h"
#include "core/volume/lineage.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_draft.h"
#include "core/volume/volume_event.h"
#include "store/attachment.h"
#include "store/volume.h"

struct seeding {
    struct volume volume; /* as it will be: data_id is the new one */
    const char *old_data_id;
    int source_fd;
    const char *image;
    const char *path;
};

static int is_fit(struct task *task, const struct volume *volume, struct error *err);
static int run(struct task *task, struct seeding *seeding, struct error *err);
static int seed_prepare(struct task *task, struct op *op, struct error *err);
static int seed_load(struct task *task, struct op *op, struct error *err);
static int seed_apply(struct task *task, struct op *op, struct error *err);
static int seed_finish(struct task *task, struct op *op, struct error *err);
static int seed_revert(struct task *task, struct op *op, struct error *err);
static void seed_after(struct task *task, struct op *op, bool is_done);
static int shape_data(struct task *task, const struct volume *volume, struct error *err);

const struct op_kind volume_seed_kind = {
    .name = "volume.seed",
    .prepare = seed_prepare,
    .load = seed_load,
    .apply = seed_apply,
    .finish = seed_finish,
    .revert = seed_revert,
    .after = seed_after,
};

int volume_seed(struct task *task, const struct volume *volume, int source_fd, const char *image,
                const char *path, struct error *err)
{
    cleanup_claim struct claim turn = { 0 };
    struct seeding seeding = { .source_fd = source_fd, .image = image, .path = path };
    char data_id[UUID_SIZE];

    claim_enter(&turn, volume->id); /* two containers of one new volume: the second finds it full */
    int found = store_volume_find_id(task->db, task->mem, volume->id, &seeding.volume, err);
    if (found <= 0)
        return found < 0 ? -1 : fail(err, ERR_NOT_FOUND, "get %s: no such volume", volume->name);
    int fit = is_fit(task, &seeding.volume, err);
    if (fit <= 0)
        return fit;
    uuid_make(data_id);
    seeding.old_data_id = seeding.volume.data_id;
    seeding.volume.data_id = data_id;
    if (run(task, &seeding, err) < 0)
        /* A container was faster and has the volume mounted: as Docker, it stays as it is. */
        return err->code == ERR_BUSY ? 0 : -1;
    return 0;
}

const char *volume_seed_record(struct task *task, const char *image, const char *path)
{
    cleanup_json json_t *record = json_object();

    json_set(record, "image", json_text(image));
    json_set(record, "path", json_text(path));
    json_set(record, "time_ms", json_integer(clock_now_ms()));
    return json_write(task->mem, record);
}

/* 1: empty, never seeded, of ours. */
static int is_fit(struct task *task, const struct volume *volume, struct error *err)
{
    const struct driver_pool *pool = NULL;
    bool is_empty = false;

    if (volume->is_seeded || volume_is_foreign(volume))
        return 0;
    if (pool_open(task, volume->pool_id, &pool, err) < 0)
        return -1;
    cleanup_fd int fd = volume_data_open(pool, volume, err);
    if (fd < 0 || fs_dir_is_empty(fd, &is_empty, err) < 0)
        return -1;
    return is_empty;
}

static int run(struct task *task, struct seeding *seeding, struct error *err)
{
    cleanup_claim struct claim old_data = { 0 };
    cleanup_claim struct claim new_data = { 0 };
    cleanup_op struct op op = {
        .kind = &volume_seed_kind,
        .subject = arena_printf(task->mem, "volume '%s'", seeding->volume.name),
        .objects = { arena_printf(task->mem, "volume:%s", seeding->volume.id) },
        .data = seeding,
    };
    /* A container that is created has no use for the creator's key: it is that operation's. */
    struct task own = *task;

    own.idempotency_key = NULL;
    claim_enter(&old_data, seeding->old_data_id);
    claim_enter(&new_data, seeding->volume.data_id);
    return op_run(&own, &op, err);
}

static int seed_prepare(struct task *task, struct op *op, struct error *err)
{
    const struct seeding *seeding = op->data;
    struct attachment_user *users = NULL;
    int count = store_attachment_users(task->db, task->mem, seeding->volume.id, &users, err);

    if (count < 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (attachment_user_is_live(&users[i]) && !users[i].shows_snapshot)
            return fail(err, ERR_BUSY, "volume '%s' is used by container '%s'",
                        seeding->volume.name, users[i].container_name);
    op->note = json_object();
    json_set(op->note, "volume", json_text(seeding->volume.id));
    json_set(op->note, "pool", json_text(seeding->volume.pool_id));
    json_set(op->note, "old_data", json_text(seeding->old_data_id));
    json_set(op->note, "new_data", json_text(seeding->volume.data_id));
    json_set(op->note, "image", json_text(seeding->image));
    json_set(op->note, "path", json_text(seeding->path));
    return 0;
}

static int seed_load(struct task *task, struct op *op, struct error *err)
{
    struct seeding *seeding = arena_alloc(task->mem, sizeof(*seeding));
    struct volume *volume = &seeding->volume;

    seeding->source_fd = -1;
    op->data = seeding;
    if (json_get_text(op->note, "volume", task->mem, &volume->id, err) < 0 ||
        json_get_text(op->note, "pool", task->mem, &volume->pool_id, err) < 0 ||
        json_get_text(op->note, "old_data", task->mem, &seeding->old_data_id, err) < 0 ||
        json_get_text(op->note, "new_data", task->mem, &volume->data_id, err) < 0)
        return -1;
    return 0;
}

static int seed_apply(struct task *task, struct op *op, struct error *err)
{
    const struct seeding *seeding = op->data;
    struct volume old = seeding->volume;

    /* The image's tree was the dead process's: undone, and the next container seeds again. */
    if (op->is_resumed)
        return fail(err, ERR_CONFLICT, "seeding was interrupted");
    old.data_id = seeding->old_data_id;
    if (liveness_check_idle(task, &old, err) < 0 ||
        volume_data_fill(task, &seeding->volume, seeding->source_fd, err) < 0)
        return -1;
    return shape_data(task, &seeding->volume, err);
}

/* What the volume's maker said about its owner and mode stands against the image. */
static int shape_data(struct task *task, const struct volume *volume, struct error *err)
{
    const struct driver_pool *pool = NULL;
    struct volume_shape shape = { 0 };

    if (volume_shape_read(&volume->options, &shape, err) < 0 ||
        pool_open(task, volume->pool_id, &pool, err) < 0)
        return -1;
    shape.is_nocow = false;
    return volume_shape_is_given(&shape) ? volume_data_shape(pool, volume->data_id, &shape, err)
                                         : 0;
}

static int seed_finish(struct task *task, struct op *op, struct error *err)
{
    const struct seeding *seeding = op->data;
    const struct volume *volume = &seeding->volume;
    struct pair items[] = { { "image", seeding->image }, { "path", seeding->path } };

    if (store_volume_set_data(task->db, volume->id, seeding->old_data_id, volume->data_id, err) <
            0 ||
        store_volume_set_seeded(task->db, volume->id,
                                volume_seed_record(task, seeding->image, seeding->path), err) < 0 ||
        lineage_note_seeded(task, volume, seeding->image, seeding->path, err) < 0)
        return -1;
    return volume_event(task, "seed", volume, &(struct pairs){ ARRAY_SIZE(items), items }, err);
}

static int seed_revert(struct task *task, struct op *op, struct error *err)
{
    const struct seeding *seeding = op->data;

    (void)err;
    volume_data_discard(task, seeding->volume.pool_id, seeding->volume.data_id);
    return 0;
}

static void seed_after(struct task *task, struct op *op, bool is_done)
{
    const struct seeding *seeding = op->data;

    if (is_done)
        volume_data_discard(task, seeding->volume.pool_id, seeding->old_data_id);
}
