/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments of a container that starts: may it write, and what is to be mounted. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/path.h"
#include "base/sys.h"
#include "core/attachment/attachment.h"
#include "core/attachment/lease.h"
#include "core/pool/pool.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_view.h"
#include "store/volume.h"

#define SUBPATH_MODE 0755

static int open_one(struct task *task, struct attachment_mount *mount, struct error *err);
static int open_snapshot(struct task *task, const struct volume *volume,
                         struct attachment_mount *mount, struct error *err);
static int open_part(int tree_fd, struct attachment_mount *mount, struct error *err);
static int open_subpath(int volume_fd, const struct attachment *attachment, struct error *err);

int attachment_check_start(struct task *task, const char *container_id, struct error *err)
{
    struct attachment *list = NULL;
    size_t count = 0;

    if (lease_end(task, container_id, err) < 0 || /* of a run before */
        attachment_list(task, container_id, &list, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (attachment_check(task, &list[i], err) < 0)
            return -1;
    return 0;
}

int attachment_open(struct task *task, const char *container_id, struct attachment_mount **mounts,
                    size_t *count, struct error *err)
{
    struct attachment *list = NULL;
    size_t found = 0;

    if (attachment_list(task, container_id, &list, &found, err) < 0)
        return -1;
    struct attachment_mount *opened = arena_array(task->mem, found + 1, sizeof(*opened));
    for (size_t i = 0; i < found; i++) {
        if (attachment_open_one(task, &list[i], &opened[i], err) < 0) {
            attachment_close(opened, i);
            return -1;
        }
    }
    *mounts = opened;
    *count = found;
    return 0;
}

void attachment_close(struct attachment_mount *mounts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sys_close_fd(&mounts[i].fd);
}

int attachment_check(struct task *task, const struct attachment *attachment, struct error *err)
{
    const struct volume volume = { .id = attachment->volume_id, .name = attachment->volume_name };

    if (store_volume_check_free(task->db, &volume, err) < 0)
        return -1;
    return lease_take(task, attachment, err);
}

int attachment_open_one(struct task *task, const struct attachment *attachment,
                        struct attachment_mount *mount, struct error *err)
{
    *mount = (struct attachment_mount){ .attachment = *attachment, .fd = -1 };
    return open_one(task, mount, err);
}

static int open_one(struct task *task, struct attachment_mount *mount, struct error *err)
{
    const struct attachment *attachment = &mount->attachment;
    struct volume volume;
    int found = store_volume_find_id(task->db, task->mem, attachment->volume_id, &volume, err);

    if (found <= 0)
        return found < 0
                   ? -1
                   : fail(err, ERR_NOT_FOUND, "get %s: no such volume", attachment->volume_name);
    if (attachment->snapshot_id != NULL)
        return open_snapshot(task, &volume, mount, err);
    cleanup_fd int volume_fd = volume_open(task, &volume, err);
    return volume_fd < 0 ? -1 : open_part(volume_fd, mount, err);
}

/* The tree of a directory driver's snapshot could be written to: its mount is read-only. */
static int open_snapshot(struct task *task, const struct volume *volume,
                         struct attachment_mount *mount, struct error *err)
{
    const struct attachment *attachment = &mount->attachment;
    const struct snapshot snapshot = {
        .id = attachment->snapshot_id,
        .name = attachment->snapshot,
        .volume_name = volume->name,
    };
    const struct driver_pool *pool = NULL;

    if (pool_open(task, volume->pool_id, &pool, err) < 0)
        return -1;
    cleanup_fd int fd = snapshot_view_open(pool, &snapshot, err);
    if (fd < 0 || open_part(fd, mount, err) < 0)
        return -1;
    if (!attachment->is_scratch)
        return 0;
    const char *lower = view_path(task->mem, pool, TREE_IN_SNAPSHOTS, snapshot.id);
    return scratch_open(task, attachment, fd, lower, &mount->scratch, err);
}

static int open_part(int tree_fd, struct attachment_mount *mount, struct error *err)
{
    const struct attachment *attachment = &mount->attachment;

    if (*attachment->subpath != '\0') {
        mount->fd = open_subpath(tree_fd, attachment, err);
        return mount->fd < 0 ? -1 : 0;
    }
    mount->fd = sys_openat(tree_fd, ".", O_PATH | O_DIRECTORY, 0);
    return mount->fd < 0
               ? fail_sys(err, mount->fd, "cannot open volume '%s'", attachment->volume_name)
               : 0;
}

static int open_subpath(int volume_fd, const struct attachment *attachment, struct error *err)
{
    int fd = path_open_beneath(volume_fd, attachment->subpath, O_PATH | O_NOFOLLOW);

    if (fd == -ENOENT && attachment->can_create_subpath && attachment->snapshot_id == NULL)
        fd = path_make_beneath(volume_fd, attachment->subpath, SUBPATH_MODE);
    if (fd >= 0)
        return fd;
    if (fd == -ELOOP || fd == -EXDEV)
        return fail(err, ERR_INVALID, "subpath '%s' of volume '%s' leads through a symbolic link",
                    attachment->subpath, attachment->volume_name);
    return fail_sys(err, fd, "cannot access subpath '%s' of volume '%s'", attachment->subpath,
                    attachment->volume_name);
}
