/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attaching: the row is first, so that volume and snapshot are held by it; then the mount.  A crash
 * in between finds the row, and mounts, which is idempotent; where it cannot, the row goes again.
 * No container is held by an intent: a start meanwhile reads the rows, and mounts by them.
 *
 * What detaches is attachment_detach.c's.
 */
#include "core/attachment/attachment_hot.h"

#include <string.h>

#include "base/path.h"
#include "core/attachment/attachment.h"
#include "core/attachment/attachment_end.h"
#include "core/attachment/bind_spec.h"
#include "core/attachment/hot_mount.h"
#include "core/container/container.h"
#include "core/operation/lease_kinds.h"
#include "core/operation/op.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_event.h"
#include "store/attachment.h"
#include "store/container.h"
#include "store/volume.h"

struct attaching {
    const char *container_id;
    const char *destination;
    struct attachment_set set; /* of one; empty after a crash */
    struct attachment row;
    struct volume volume;
    bool runs;
    bool is_published;
    struct attachment_garbage garbage;
};

static int attach_prepare(struct task *task, struct op *op, struct error *err);
static int attach_apply(struct task *task, struct op *op, struct error *err);
static int attach_finish(struct task *task, struct op *op, struct error *err);
static int attach_revert(struct task *task, struct op *op, struct error *err);
static int attach_abandon(struct task *task, struct op *op, struct error *err);
static int attach_load(struct task *task, struct op *op, struct error *err);
static void attach_after(struct task *task, struct op *op, bool is_done);
static int plan(struct task *task, const struct attachment *wanted, struct attaching *attaching,
                struct error *err);
static int run(struct task *task, struct attaching *attaching, struct error *err);
static int check_place(struct task *task, const struct container *container,
                       const char *destination, struct error *err);
static int find_row(struct task *task, struct attaching *attaching, struct error *err);

const struct op_kind attachment_attach_kind = {
    .name = "attach.hot",
    .prepare = attach_prepare,
    .apply = attach_apply,
    .finish = attach_finish,
    .revert = attach_revert,
    .abandon = attach_abandon,
    .load = attach_load,
    .after = attach_after,
};

int attachment_attach(struct task *task, const char *container_ref, const struct attachment *wanted,
                      struct attachment *attached, struct error *err)
{
    struct attaching attaching = { 0 };

    if (container_resolve(task, container_ref, &attaching.container_id, err) < 0 ||
        plan(task, wanted, &attaching, err) < 0)
        return -1;
    int rc = attachment_set_build(task, &attaching.set, NULL, err);
    if (rc == 0)
        rc = run(task, &attaching, err);
    attachment_set_done(task, &attaching.set, attaching.is_published);
    if (rc == 0)
        *attached = attaching.row;
    return rc;
}

static int plan(struct task *task, const struct attachment *wanted, struct attaching *attaching,
                struct error *err)
{
    struct attachment one = *wanted;

    if (one.volume_name == NULL || *one.volume_name == '\0')
        return fail(err, ERR_INVALID, "a volume's name is needed");
    if (volume_get(task, one.volume_name, &attaching->volume, err) < 0 ||
        mount_destination_clean(task->mem, "volume", one.destination, &one.destination, err) < 0)
        return -1;
    if (volume_is_foreign(&attaching->volume))
        return fail(err, ERR_UNSUPPORTED,
                    "volume '%s' lies on a filesystem of type '%s', which is attached only when a"
                    " container is made",
                    attaching->volume.name, pairs_get(&attaching->volume.options, "type"));
    one.volume_name = attaching->volume.name;
    one.is_nocopy = true;
    attaching->destination = one.destination;
    return attachment_set_plan(task, &one, 1, &attaching->set, err);
}

static int run(struct task *task, struct attaching *attaching, struct error *err)
{
    cleanup_op struct op op = {
        .kind = &attachment_attach_kind,
        .subject =
            arena_printf(task->mem, "volume '%s' at '%s' of container '%.12s'",
                         attaching->volume.name, attaching->destination, attaching->container_id),
        .data = attaching,
    };

    if (op_run(task, &op, err) < 0)
        return -1;
    return op.is_replayed ? find_row(task, attaching, err) : 0;
}

static int attach_prepare(struct task *task, struct op *op, struct error *err)
{
    struct attaching *attaching = op->data;
    cleanup_container struct container container = { 0 };

    if (container_get(task, attaching->container_id, &container, err) < 0 ||
        attachment_check_settled(&container, err) < 0 ||
        check_place(task, &container, attaching->destination, err) < 0)
        return -1;
    attaching->runs = container_is_live(&container);
    op->objects[0] = attachment_object(task, attaching->container_id, attaching->destination);
    op->note = json_pack("{ss ss}", "container", attaching->container_id, "destination",
                         attaching->destination);
    if (attachment_set_insert(task, &attaching->set, attaching->container_id, err) < 0)
        return -1;
    if (attaching->runs && attachment_check(task, &attaching->set.items[0], err) < 0)
        return -1;
    attaching->is_published = true;
    return find_row(task, attaching, err);
}

/* As it would be refused when a container is made. */
static int check_place(struct task *task, const struct container *container,
                       const char *destination, struct error *err)
{
    size_t i;
    json_t *mount;

    (void)task;
    for (size_t k = 0; k < container->attachment_count; k++)
        if (strcmp(container->attachments[k].destination, destination) == 0)
            return fail(err, ERR_CONFLICT, "container '%s' has volume '%s' at '%s' already",
                        container->name, container->attachments[k].volume_name, destination);
    json_array_foreach(container->mounts, i, mount)
    {
        const char *other = json_string_value(json_object_get(mount, "Destination"));
        if (other != NULL && strcmp(other, destination) == 0)
            return fail(err, ERR_CONFLICT, "container '%s' has a mount at '%s' already",
                        container->name, destination);
    }
    return 0;
}

static int attach_apply(struct task *task, struct op *op, struct error *err)
{
    struct attaching *attaching = op->data;
    struct attachment_mount mount = { .fd = -1 };

    if (!attaching->runs || attaching->row.container_id == NULL)
        return 0;
    if (attachment_open_one(task, &attaching->row, &mount, err) < 0)
        return -1;
    const char *token = hot_mount_token(&attaching->row, attaching->volume.data_id);
    int rc = hot_mount(task, &mount, token, err);
    attachment_close(&mount, 1);
    return rc;
}

static int attach_finish(struct task *task, struct op *op, struct error *err)
{
    const struct attaching *attaching = op->data;
    struct pairs more = { 0 };

    if (attaching->row.container_id == NULL) /* removed meanwhile, with its container */
        return 0;
    pairs_set(&more, task->mem, "container", attaching->container_id);
    pairs_set(&more, task->mem, "destination", attaching->destination);
    pairs_set(&more, task->mem, "read/write",
              attachment_is_read_only(&attaching->row) ? "false" : "true");
    return volume_event(task, attaching->runs ? "mount" : "attach", &attaching->volume, &more, err);
}

static int attach_revert(struct task *task, struct op *op, struct error *err)
{
    const struct attaching *attaching = op->data;

    if (!attaching->runs || attaching->row.container_id == NULL)
        return 0;
    const char *token = hot_mount_token(&attaching->row, attaching->volume.data_id);
    if (hot_unmount(task, &attaching->row, token, true, err) < 0 && err->code != ERR_CONFLICT)
        return -1;
    return 0;
}

static int attach_abandon(struct task *task, struct op *op, struct error *err)
{
    struct attaching *attaching = op->data;

    if (attaching->row.container_id == NULL)
        return 0;
    return attachment_end_one(task, &attaching->row, &attaching->garbage, err);
}

static int attach_load(struct task *task, struct op *op, struct error *err)
{
    struct attaching *attaching = arena_alloc(task->mem, sizeof(*attaching));
    cleanup_container struct container container = { 0 };

    *attaching = (struct attaching){ 0 };
    op->data = attaching;
    if (json_get_text(op->note, "container", task->mem, &attaching->container_id, err) < 0 ||
        json_get_text(op->note, "destination", task->mem, &attaching->destination, err) < 0 ||
        find_row(task, attaching, err) < 0)
        return -1;
    int found = store_container_find(task->db, task->mem, attaching->container_id, &container, err);
    attaching->runs = found > 0 && container_is_live(&container);
    return found < 0 ? -1 : 0;
}

static void attach_after(struct task *task, struct op *op, bool is_done)
{
    const struct attaching *attaching = op->data;

    if (!is_done)
        attachment_garbage_remove(task, &attaching->garbage);
}

/* Leaves the row empty where there is none. */
static int find_row(struct task *task, struct attaching *attaching, struct error *err)
{
    int found = attachment_find(task, attaching->container_id, attaching->destination,
                                &attaching->row, err);

    if (found <= 0)
        return found;
    found = store_volume_find_id(task->db, task->mem, attaching->row.volume_id, &attaching->volume,
                                 err);
    return found < 0 ? -1 : 0;
}
