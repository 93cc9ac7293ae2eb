/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts handed to other engines: rows that count, so that what they use is neither removed nor
 * rolled back.  The engine itself binds the path; for foreign volumes there is something to mount.
 */
#include "base/sys.h"
#include "core/attachment/lease.h"
#include "core/fence/liveness.h"
#include "core/operation/op.h"
#include "core/service.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_foreign.h"
#include "store/plugin_mount.h"
#include "store/volume.h"

struct plugin_mount {
    struct volume volume;
    const char *caller_id;
    int64_t seen; /* forget: the count before the kernel was asked */
};

static int count(struct task *task, const struct op_kind *kind, const char *ref,
                 struct plugin_mount *mount, struct error *err);
static int mount_finish(struct task *task, struct op *op, struct error *err);
static int unmount_finish(struct task *task, struct op *op, struct error *err);
static int forget_finish(struct task *task, struct op *op, struct error *err);

static const struct op_kind mount_kind = { .name = "volume.mount", .finish = mount_finish };
static const struct op_kind unmount_kind = { .name = "volume.unmount", .finish = unmount_finish };
static const struct op_kind forget_kind = { .name = "volume.release", .finish = forget_finish };

int volume_plugin_mount(struct task *task, const char *ref, const char *caller_id,
                        const char **path, struct error *err)
{
    struct plugin_mount mount = { .caller_id = caller_id };

    if (count(task, &mount_kind, ref, &mount, err) < 0)
        return -1;
    /* After the row, so that a release at the same time sees a user. */
    cleanup_fd int fd = volume_open(task, &mount.volume, err);
    if (fd < 0) {
        struct error ignored; /* the first error is the one to tell */
        (void)count(task, &unmount_kind, ref, &mount, &ignored);
        return -1;
    }
    *path = volume_path(task, &mount.volume);
    return 0;
}

int volume_plugin_unmount(struct task *task, const char *ref, const char *caller_id,
                          struct error *err)
{
    struct plugin_mount mount = { .caller_id = caller_id };

    if (count(task, &unmount_kind, ref, &mount, err) < 0)
        return -1;
    lease_succeed(task, mount.volume.id);
    return volume_foreign_release(task, &mount.volume, err);
}

int volume_plugin_mount_count(struct task *task, const char *volume_id, int64_t *mounts,
                              struct error *err)
{
    return store_plugin_mount_count(task->db, volume_id, mounts, err);
}

int volume_plugin_forget(struct task *task, const char *ref, int64_t *mounts, struct error *err)
{
    struct plugin_mount mount = { 0 };

    if (volume_get(task, ref, &mount.volume, err) < 0 ||
        volume_plugin_mount_count(task, mount.volume.id, &mount.seen, err) < 0)
        return -1;
    /* A foreign volume's own mount, which we made for the engine, is not one by the engine. */
    if (!volume_is_foreign(&mount.volume) && liveness_check_idle(task, &mount.volume, err) < 0)
        return -1;
    if (count(task, &forget_kind, ref, &mount, err) < 0 ||
        volume_foreign_release(task, &mount.volume, err) < 0)
        return -1;
    *mounts = mount.seen;
    return 0;
}

static int count(struct task *task, const struct op_kind *kind, const char *ref,
                 struct plugin_mount *mount, struct error *err)
{
    if (volume_get(task, ref, &mount->volume, err) < 0)
        return -1;
    cleanup_op struct op op = {
        .kind = kind,
        .subject = arena_printf(task->mem, "volume '%s'", mount->volume.name),
        .data = mount,
    };
    return op_run(task, &op, err);
}

static int mount_finish(struct task *task, struct op *op, struct error *err)
{
    struct plugin_mount *mount = op->data;
    struct volume *volume = &mount->volume;
    int found = store_volume_find_id(task->db, task->mem, volume->id, volume, err);

    if (found <= 0)
        return found < 0 ? -1 : fail(err, ERR_NOT_FOUND, "no such volume");
    if (store_volume_check_free(task->db, volume, err) < 0 ||
        lease_check_engine(task, volume, mount->caller_id, err) < 0)
        return -1;
    return store_plugin_mount_add(task->db, volume->id, mount->caller_id, task->service->boot_id,
                                  err);
}

static int unmount_finish(struct task *task, struct op *op, struct error *err)
{
    const struct plugin_mount *mount = op->data;

    return store_plugin_mount_take(task->db, mount->volume.id, mount->caller_id, err);
}

static int forget_finish(struct task *task, struct op *op, struct error *err)
{
    const struct plugin_mount *mount = op->data;
    int64_t now = 0;

    if (store_plugin_mount_count(task->db, mount->volume.id, &now, err) < 0)
        return -1;
    if (now != mount->seen)
        return fail(err, ERR_BUSY, "an engine asked for volume '%s' meanwhile; try again",
                    mount->volume.name);
    return store_plugin_mount_forget(task->db, mount->volume.id, err) < 0 ? -1 : 0;
}
