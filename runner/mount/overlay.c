/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two ways to the same mount.  Newer kernels take one layer after the other ("lowerdir+", 6.8),
 * each as a path of its own.  Older ones want one string that must fit into a page and, through
 * fsconfig(2), into 255 bytes: there mount(2) gets short names, /proc/self/fd/N of each layer, and
 * the finished mount is cloned off the place it was made on.
 */
#include "runner/mount/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/sys.h"
#include "runner/spec/field.h"

#define LAYERS_MAX 500
#define DATA_MAX   4096 /* mount(2) copies a page */

struct overlay {
    const char *const *layers;
    const char *upper;
    const char *work;
    size_t count;
};

static int overlay_read(struct arena *mem, const json_t *json, struct overlay *overlay,
                        struct error *err);
static int open_by_layers(const struct overlay *overlay);
static int open_by_string(struct arena *mem, const struct overlay *overlay, struct error *err);
static int mount_and_clone(struct arena *mem, const struct overlay *overlay);
static int append_directory(struct buf *data, const char *path, int *fd);

int overlay_open(struct arena *mem, const char *text, struct error *err)
{
    struct overlay overlay = { 0 };
    cleanup_json json_t *json = json_read(text, strlen(text), err);

    if (json == NULL || overlay_read(mem, json, &overlay, err) < 0)
        return error_prefix(err, "annotation org.volumed.rootfs");
    int fd = open_by_layers(&overlay);
    if (fd == -EINVAL || fd == -ENOSYS)
        return open_by_string(mem, &overlay, err);
    return fd < 0 ? fail_sys(err, fd, "cannot mount the root's overlay") : fd;
}

static int overlay_read(struct arena *mem, const json_t *json, struct overlay *overlay,
                        struct error *err)
{
    static const struct field fields[] = {
        FIELD_REQUIRED(TEXTS, struct overlay, layers, "layers"),
        FIELD(TEXT, struct overlay, upper, "upper"),
        FIELD(TEXT, struct overlay, work, "work"),
        { .type = FIELD_END },
    };

    if (fields_read(mem, "", json, fields, overlay, err) < 0)
        return -1;
    for (; overlay->layers[overlay->count] != NULL; overlay->count++)
        if (overlay->layers[overlay->count][0] != '/')
            return fail(err, ERR_INVALID, "layer '%s' is not an absolute path",
                        overlay->layers[overlay->count]);
    if (overlay->count == 0 || overlay->count > LAYERS_MAX)
        return fail(err, ERR_INVALID, "%zu layers: 1 to %d are possible", overlay->count,
                    LAYERS_MAX);
    if ((overlay->upper == NULL) != (overlay->work == NULL))
        return fail(err, ERR_INVALID, "'upper' and 'work' belong together");
    return 0;
}

static int open_by_layers(const struct overlay *overlay)
{
    cleanup_fd int fs_fd = sys_fsopen("overlay");
    int rc = fs_fd < 0 ? fs_fd : sys_fsconfig(fs_fd, "source", "overlay");

    for (size_t i = 0; i < overlay->count && rc >= 0; i++)
        rc = sys_fsconfig(fs_fd, "lowerdir+", overlay->layers[i]);
    if (rc >= 0 && overlay->upper != NULL) {
        rc = sys_fsconfig(fs_fd, "upperdir", overlay->upper);
        if (rc >= 0)
            rc = sys_fsconfig(fs_fd, "workdir", overlay->work);
    }
    if (rc >= 0)
        rc = sys_fsconfig_create(fs_fd);
    return rc < 0 ? rc : sys_fsmount(fs_fd, overlay->upper == NULL ? MOUNT_ATTR_RDONLY : 0u);
}

/*
 * mount(2) needs a place.  In a mount namespace of its own there is one that nobody sees: the
 * overlay is made there and cloned off.  The directories are opened there too: as layers the kernel
 * takes no mounts of another namespace.
 */
static int open_by_string(struct arena *mem, const struct overlay *overlay, struct error *err)
{
    struct mount_attr private = { .propagation = MS_PRIVATE };
    cleanup_fd int own_fd = sys_openat(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY, 0);
    cleanup_fd int cwd_fd = sys_openat(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0);
    int fd = -1;

    if (own_fd < 0 || cwd_fd < 0)
        return fail_sys(err, own_fd < 0 ? own_fd : cwd_fd, "cannot mount the root's overlay");
    int rc = unshare(CLONE_NEWNS) < 0 ? -errno : 0;
    if (rc < 0)
        return fail_sys(err, rc, "cannot mount the root's overlay");
    rc = sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private);
    if (rc >= 0)
        rc = fd = mount_and_clone(mem, overlay);
    if (setns(own_fd, CLONE_NEWNS) < 0 || fchdir(cwd_fd) < 0) {
        rc = -errno;
        sys_close_fd(&fd);
    }
    return rc < 0 ? fail_sys(err, rc, "cannot mount the root's overlay") : fd;
}

/* Relative paths mean nothing here, and the reader of the annotation has refused them. */
static int mount_and_clone(struct arena *mem, const struct overlay *overlay)
{
    cleanup_buf struct buf data = { 0 };
    size_t count = overlay->count + 2;
    int *fds = arena_array(mem, count, sizeof(*fds));
    int rc = 0;

    for (size_t i = 0; i < count; i++)
        fds[i] = -1;
    buf_text(&data, "lowerdir=");
    for (size_t i = 0; i < overlay->count && rc >= 0; i++) {
        if (i > 0)
            buf_text(&data, ":");
        rc = append_directory(&data, overlay->layers[i], &fds[i]);
    }
    if (rc >= 0 && overlay->upper != NULL) {
        buf_text(&data, ",upperdir=");
        rc = append_directory(&data, overlay->upper, &fds[count - 2]);
        buf_text(&data, ",workdir=");
        if (rc >= 0)
            rc = append_directory(&data, overlay->work, &fds[count - 1]);
    }
    if (rc >= 0 && data.size >= DATA_MAX)
        rc = -E2BIG;
    if (rc >= 0 && mount("overlay", "/proc", "overlay", 0, data.data) < 0)
        rc = -errno;
    for (size_t i = 0; i < count; i++)
        sys_close_fd(&fds[i]);
    return rc < 0 ? rc : sys_open_tree(AT_FDCWD, "/proc", OPEN_TREE_CLONE);
}

static int append_directory(struct buf *data, const char *path, int *fd)
{
    *fd = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
    buf_printf(data, "/proc/self/fd/%d", *fd);
    return *fd < 0 ? *fd : 0;
}
