/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, attaching and entering a container's root. */
#include "runner/mount/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/json.h"
#include "base/sys.h"
#include "runner/mount/overlay.h"
#include "runner/mount/target.h"
#include "runner/process/descriptor.h"
#include "runner/spec/mount_option.h"

static int attach_to(int root_fd, const char *path);
static int clone_directory(const char *path, struct error *err);

int rootfs_open(struct arena *mem, const struct spec *spec, struct error *err)
{
    const char *text = spec_annotation(spec->annotations, ROOTFS_ANNOTATION, NULL);

    if (text == NULL)
        return clone_directory(spec->root_path, err);
    return overlay_open(mem, text, err);
}

int rootfs_attach(const struct spec *spec, int root_fd, struct error *err)
{
    struct mount_attr slave = { .propagation = MS_SLAVE };
    int rc = sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &slave);

    if (rc < 0)
        return fail_sys(err, rc, "cannot leave the host's mount propagation");
    rc = attach_to(root_fd, spec->root_path);
    if (rc == -EACCES) /* a root that the user namespace's ids cannot reach by path */
        rc = attach_to(root_fd, "/");
    return rc < 0 ? fail_sys(err, rc, "cannot mount on '%s'", spec->root_path) : 0;
}

/*
 * pivot_root(".", ".") stacks the old root on the new one's place; detaching "." then takes away
 * the old (pivot_root(2), "pivot_root(".", ".")").
 */
int rootfs_enter(int root_fd, bool without_pivot, struct error *err)
{
    if (fchdir(root_fd) < 0)
        return fail_sys(err, -errno, "cannot enter the root");
    if (without_pivot) {
        if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
            return fail_sys(err, -errno, "cannot move the root to '/'");
        return 0;
    }
    if (syscall(SYS_pivot_root, ".", ".") < 0)
        return fail_sys(err, -errno, "cannot pivot to the root");
    int rc = sys_umount2(".", MNT_DETACH);
    if (rc < 0)
        return fail_sys(err, rc, "cannot let go of the host's root");
    return chdir("/") < 0 ? fail_sys(err, -errno, "cannot enter '/'") : 0;
}

int rootfs_finish(const struct spec *spec, int root_fd, struct error *err)
{
    struct mount_attr attr = { .attr_set = spec->is_root_readonly ? MOUNT_ATTR_RDONLY : 0u };
    bool is_recursive = false;
    int rc = 0;

    if (spec->is_root_readonly)
        rc = sys_mount_setattr(root_fd, "", AT_EMPTY_PATH, &attr);
    if (rc < 0)
        return fail_sys(err, rc, "cannot make the root read-only");
    if (spec->rootfs_propagation == NULL || *spec->rootfs_propagation == '\0')
        return 0;
    struct mount_attr propagation = {
        .propagation = mount_propagation_find(spec->rootfs_propagation, &is_recursive),
    };
    /* Not recursive: each mount has got its own already. */
    if (propagation.propagation != 0)
        rc = sys_mount_setattr(root_fd, "", AT_EMPTY_PATH, &propagation);
    return rc < 0 ? fail_sys(err, rc, "cannot set the propagation of the root") : 0;
}

static int attach_to(int root_fd, const char *path)
{
    return sys_move_mount(root_fd, "", AT_FDCWD, path,
                          MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
}

/* A clone in a shared peer group would carry the container's mounts to the host. */
static int clone_directory(const char *path, struct error *err)
{
    struct mount_attr slave = { .propagation = MS_SLAVE };
    cleanup_fd_later int fd = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | AT_RECURSIVE);

    if (fd < 0)
        return fail_sys(err, fd, "cannot open the root '%s'", path);
    int rc = sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &slave);
    return rc < 0 ? fail_sys(err, rc, "cannot make the root '%s' a slave mount", path)
                  : move_fd(&fd);
}
