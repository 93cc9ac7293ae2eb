/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detaching: the mount goes first, then the row.  A crash in between finds the row and no mount,
 * and takes the row; a mount that has become busy keeps its row.  Of a container that does not run
 * there is only the row.
 */
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "base/sys.h"
#include "core/attachment/attachment_end.h"
#include "core/attachment/attachment_hot.h"
#include "core/attachment/hot_mount.h"
#include "core/attachment/lease.h"
#include "core/box/box.h"
#include "core/container/container.h"
#include "core/operation/lease_kinds.h"
#include "core/operation/op.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_event.h"
#include "store/container.h"
#include "store/volume.h"

struct detaching {
    const char *container_id;
    const char *destination;
    bool is_forced;
    struct attachment row; /* container_id NULL: it is gone */
    struct volume volume;
    int64_t pid;  /* of the run in which it is unmounted; 0: it does not run */
    bool is_done; /* by prepare: there was only the row */
    struct attachment_garbage garbage;
};

static int detach_prepare(struct task *task, struct op *op, struct error *err);
static int detach_apply(struct task *task, struct op *op, struct error *err);
static int detach_finish(struct task *task, struct op *op, struct error *err);
static int detach_load(struct task *task, struct op *op, struct error *err);
static void detach_after(struct task *task, struct op *op, bool is_done);
static int find(struct task *task, struct detaching *detaching, struct error *err);
static int check(const struct container *container, const struct detaching *detaching,
                 struct error *err);
static int look(struct task *task, struct detaching *detaching, struct error *err);
static int end(struct task *task, struct detaching *detaching, struct error *err);
static void remove_scratch(struct task *task, const struct attachment *row);

const struct op_kind attachment_detach_kind = {
    .name = "detach.hot",
    .prepare = detach_prepare,
    .apply = detach_apply,
    .finish = detach_finish,
    .load = detach_load,
    .after = detach_after,
};

int attachment_detach(struct task *task, const char *container_ref, const char *destination,
                      bool is_forced, struct attachment *detached, struct error *err)
{
    struct detaching detaching = {
        .destination = path_clean(task->mem, destination),
        .is_forced = is_forced,
    };

    if (container_resolve(task, container_ref, &detaching.container_id, err) < 0)
        return -1;
    cleanup_op struct op op = {
        .kind = &attachment_detach_kind,
        .subject = arena_printf(task->mem, "'%s' of container '%.12s'", detaching.destination,
                                detaching.container_id),
        .data = &detaching,
    };
    if (op_run(task, &op, err) < 0)
        return -1;
    *detached = detaching.row;
    return 0;
}

static int detach_prepare(struct task *task, struct op *op, struct error *err)
{
    struct detaching *detaching = op->data;
    cleanup_container struct container container = { 0 };

    if (container_get(task, detaching->container_id, &container, err) < 0 ||
        attachment_check_settled(&container, err) < 0 || find(task, detaching, err) < 0)
        return -1;
    if (detaching->row.container_id == NULL)
        return fail(err, ERR_NOT_FOUND, "container '%s' has no volume at '%s'", container.name,
                    detaching->destination);
    if (check(&container, detaching, err) < 0)
        return -1;
    op->objects[0] = attachment_object(task, detaching->container_id, detaching->destination);
    op->note = json_pack("{ss ss sb}", "container", detaching->container_id, "destination",
                         detaching->destination, "forced", detaching->is_forced);
    detaching->pid = container_is_live(&container) ? container.pid : 0;
    if (detaching->pid != 0)
        return 0;
    detaching->is_done = true;
    return end(task, detaching, err);
}

/* What lies below would be hidden, or in the way. */
static int check(const struct container *container, const struct detaching *detaching,
                 struct error *err)
{
    size_t i;
    json_t *mount;

    for (size_t k = 0; k < container->attachment_count; k++) {
        const char *other = container->attachments[k].destination;
        if (strcmp(other, detaching->destination) != 0 &&
            path_is_within(other, detaching->destination))
            return fail(err, ERR_CONFLICT, "'%s' has volume '%s' attached below it, at '%s'",
                        detaching->destination, container->attachments[k].volume_name, other);
    }
    json_array_foreach(container->mounts, i, mount)
    {
        const char *other = json_string_value(json_object_get(mount, "Destination"));
        if (other != NULL && path_is_within(other, detaching->destination))
            return fail(err, ERR_CONFLICT, "'%s' has a mount below it, at '%s'",
                        detaching->destination, other);
    }
    if (volume_is_foreign(&detaching->volume) && container_is_live(container))
        return fail(err, ERR_UNSUPPORTED,
                    "volume '%s' lies on a filesystem that others keep; stop the container first",
                    detaching->volume.name);
    return 0;
}

static int detach_apply(struct task *task, struct op *op, struct error *err)
{
    struct detaching *detaching = op->data;

    if (detaching->is_done)
        return 0;
    if (look(task, detaching, err) < 0)
        return -1;
    if (detaching->row.container_id == NULL || detaching->pid == 0)
        return 0;
    const char *token = hot_mount_token(&detaching->row, detaching->volume.data_id);
    if (hot_unmount(task, &detaching->row, token, detaching->is_forced, err) == 0)
        return 0;
    if (err->code == ERR_CONFLICT) /* it has ended: nothing is mounted */
        return 0;
    return error_prefix(err, "cannot detach volume '%s'", detaching->volume.name);
}

/* Started again since: then it is mounted again, and we are to be resumed at apply. */
static int detach_finish(struct task *task, struct op *op, struct error *err)
{
    struct detaching *detaching = op->data;
    int64_t unmounted_in = detaching->pid;

    if (detaching->is_done)
        return 0;
    if (look(task, detaching, err) < 0)
        return -1;
    if (detaching->pid != 0 && detaching->pid != unmounted_in)
        return fail(err, ERR_BUSY, "the container was started again meanwhile");
    return detaching->row.container_id == NULL ? 0 : end(task, detaching, err);
}

static int detach_load(struct task *task, struct op *op, struct error *err)
{
    struct detaching *detaching = arena_alloc(task->mem, sizeof(*detaching));

    *detaching = (struct detaching){ 0 };
    op->data = detaching;
    if (json_get_text(op->note, "container", task->mem, &detaching->container_id, err) < 0 ||
        json_get_text(op->note, "destination", task->mem, &detaching->destination, err) < 0 ||
        json_get_bool(op->note, "forced", &detaching->is_forced, err) < 0)
        return -1;
    return 0;
}

static void detach_after(struct task *task, struct op *op, bool is_done)
{
    const struct detaching *detaching = op->data;

    if (!is_done || detaching->row.container_id == NULL)
        return;
    attachment_garbage_remove(task, &detaching->garbage);
    if (detaching->row.scratch_id != NULL)
        remove_scratch(task, &detaching->row);
    lease_succeed(task, detaching->row.volume_id);
}

/* Row, volume and run as they are now. */
static int look(struct task *task, struct detaching *detaching, struct error *err)
{
    cleanup_container struct container container = { 0 };
    int found = store_container_find(task->db, task->mem, detaching->container_id, &container, err);

    if (found < 0 || find(task, detaching, err) < 0)
        return -1;
    detaching->pid = 0;
    if (found == 0)
        return 0;
    if (attachment_check_settled(&container, err) < 0)
        return -1;
    detaching->pid = container_is_live(&container) ? container.pid : 0;
    return 0;
}

static int find(struct task *task, struct detaching *detaching, struct error *err)
{
    detaching->row = (struct attachment){ 0 };
    int found = attachment_find(task, detaching->container_id, detaching->destination,
                                &detaching->row, err);

    if (found <= 0)
        return found;
    found = store_volume_find_id(task->db, task->mem, detaching->row.volume_id, &detaching->volume,
                                 err);
    return found < 0 ? -1 : 0;
}

static int end(struct task *task, struct detaching *detaching, struct error *err)
{
    struct pairs more = { 0 };

    if (attachment_end_one(task, &detaching->row, &detaching->garbage, err) < 0)
        return -1;
    pairs_set(&more, task->mem, "container", detaching->container_id);
    pairs_set(&more, task->mem, "destination", detaching->destination);
    return volume_event(task, detaching->pid != 0 ? "unmount" : "detach", &detaching->volume, &more,
                        err);
}

/* What stays goes with the box. */
static void remove_scratch(struct task *task, const struct attachment *row)
{
    struct error err;
    cleanup_fd int box_fd = box_open(task, row->container_id, &err);
    int rc =
        box_fd < 0
            ? -1
            : fs_remove_tree(box_fd, arena_printf(task->mem, "scratch/%s", row->scratch_id), &err);

    if (rc < 0)
        log_warn("a scratch stays until its container goes id=%s error=\"%s\"", row->scratch_id,
                 err.message);
}
