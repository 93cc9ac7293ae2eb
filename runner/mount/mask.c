/* SPDX-License-Identifier: Apache-2.0 */
/* Hiding and freezing paths by detached mounts put on descriptors. */
#include "runner/mount/mask.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "base/sys.h"
#include "runner/mount/mount.h"
#include "runner/mount/target.h"
#include "runner/process/descriptor.h"

/* What paths are covered with: made for the first that needs it, cloned for the others. */
struct covers {
    int null_fd;
    int file_fd;
    int directory_fd;
};

static int mask_path(const char *path, int root_fd, struct covers *covers, struct error *err);
static int clone_cover(int cover_fd, struct error *err);
static int make_file_cover(int null_fd, struct error *err);
static int make_directory_cover(struct error *err);

int masks_apply(const char *const *paths, int root_fd, int null_fd, struct error *err)
{
    struct covers covers = { null_fd, -1, -1 };
    int rc = 0;

    for (; rc >= 0 && paths != NULL && *paths != NULL; paths++)
        rc = mask_path(*paths, root_fd, &covers, err);
    descriptor_close_later(&covers.file_fd);
    descriptor_close_later(&covers.directory_fd);
    return rc;
}

int readonly_paths_apply(const char *const *paths, int root_fd, struct error *err)
{
    struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };

    for (; paths != NULL && *paths != NULL; paths++) {
        cleanup_fd_later int target_fd = target_find(root_fd, *paths);
        if (target_fd == -ENOENT)
            continue;
        cleanup_fd_later int tree_fd =
            target_fd < 0
                ? target_fd
                : sys_open_tree(target_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | AT_RECURSIVE);
        int rc = tree_fd;
        if (rc >= 0)
            rc = sys_mount_setattr(tree_fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &read_only);
        if (rc < 0)
            return fail_sys(err, rc, "cannot make '%s' read-only", *paths);
        if (target_attach(tree_fd, target_fd, *paths, err) < 0)
            return -1;
    }
    return 0;
}

static int mask_path(const char *path, int root_fd, struct covers *covers, struct error *err)
{
    struct stat st;
    cleanup_fd_later int target_fd = target_find(root_fd, path);

    if (target_fd == -ENOENT || target_fd == -ENOTDIR)
        return 0;
    int rc = target_fd < 0 ? target_fd : sys_fstatat(target_fd, "", &st, AT_EMPTY_PATH);
    if (rc < 0)
        return fail_sys(err, rc, "cannot mask '%s'", path);
    int *cover_fd = S_ISDIR(st.st_mode) ? &covers->directory_fd : &covers->file_fd;
    if (*cover_fd >= 0) {
        cleanup_fd_later int clone_fd = clone_cover(*cover_fd, err);
        return clone_fd < 0 ? -1 : target_attach(clone_fd, target_fd, path, err);
    }
    *cover_fd =
        S_ISDIR(st.st_mode) ? make_directory_cover(err) : make_file_cover(covers->null_fd, err);
    return *cover_fd < 0 ? -1 : target_attach(*cover_fd, target_fd, path, err);
}

static int clone_cover(int cover_fd, struct error *err)
{
    int fd = sys_open_tree(cover_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);

    return fd < 0 ? fail_sys(err, fd, "cannot clone the cover of masked paths") : fd;
}

/* Read-only: it is the host's device, whose mode and owner are not the container's to change. */
static int make_file_cover(int null_fd, struct error *err)
{
    struct mount_attr attr = { .attr_set =
                                   MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC };
    cleanup_fd_later int fd = clone_cover(null_fd, err);

    if (fd < 0)
        return -1;
    int rc = sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr);
    return rc < 0 ? fail_sys(err, rc, "cannot make the cover of masked paths read-only")
                  : move_fd(&fd);
}

static int make_directory_cover(struct error *err)
{
    static const char *data[] = { "nr_inodes=1" };
    static const struct mount_options options = {
        .set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
        .data = data,
        .data_count = ARRAY_SIZE(data),
    };

    return mount_filesystem("tmpfs", NULL, &options, err);
}
