/* SPDX-License-Identifier: Apache-2.0 */
/* Hiding and freezing paths by detached mounts put on descriptors. */
#include "mask.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "base/sys.h"
#include "descriptor.h"
#include "mount.h"
#include "target.h"

/* What paths are covered with; the directory's is made for the first and cloned for the others. */
struct covers {
    int null_fd;
    int directory_fd;
};

static int mask_path(const char *path, int root_fd, struct covers *covers, struct error *err);
static int attach_clone(int cover_fd, int target_fd, const char *path, struct error *err);
static int make_directory_cover(struct error *err);

int masks_apply(const char *const *paths, int root_fd, int null_fd, struct error *err)
{
    struct covers covers = { null_fd, -1 };
    int rc = 0;

    for (; rc >= 0 && paths != NULL && *paths != NULL; paths++)
        rc = mask_path(*paths, root_fd, &covers, err);
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
    if (!S_ISDIR(st.st_mode))
        return attach_clone(covers->null_fd, target_fd, path, err);
    if (covers->directory_fd >= 0)
        return attach_clone(covers->directory_fd, target_fd, path, err);
    covers->directory_fd = make_directory_cover(err);
    return covers->directory_fd < 0 ? -1
                                    : target_attach(covers->directory_fd, target_fd, path, err);
}

static int attach_clone(int cover_fd, int target_fd, const char *path, struct error *err)
{
    cleanup_fd_later int fd = sys_open_tree(cover_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);

    return fd < 0 ? fail_sys(err, fd, "cannot mask '%s'", path)
                  : target_attach(fd, target_fd, path, err);
}

static int make_directory_cover(struct error *err)
{
    static const char *data[] = { "nr_inodes=1" };
    static const struct mount_options options = {
        .set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
        .data = data,
        .data_count = ARRAY_SIZE(data),
    };

    return mount_filesystem("tmpfs", "tmpfs", &options, err);
}
