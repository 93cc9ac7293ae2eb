/* SPDX-License-Identifier: Apache-2.0 */
/* Hiding and freezing paths by detached mounts put on descriptors. */
#include "mask.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "base/sys.h"
#include "mount.h"
#include "target.h"

static int mask_path(const char *path, int root_fd, int null_fd, struct error *err);
static int open_cover(bool is_directory, int null_fd, struct error *err);

int masks_apply(const char *const *paths, int root_fd, int null_fd, struct error *err)
{
    for (; paths != NULL && *paths != NULL; paths++)
        if (mask_path(*paths, root_fd, null_fd, err) < 0)
            return -1;
    return 0;
}

int readonly_paths_apply(const char *const *paths, int root_fd, struct error *err)
{
    struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };

    for (; paths != NULL && *paths != NULL; paths++) {
        cleanup_fd int target_fd = target_find(root_fd, *paths);
        if (target_fd == -ENOENT)
            continue;
        cleanup_fd int tree_fd =
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

static int mask_path(const char *path, int root_fd, int null_fd, struct error *err)
{
    struct stat st;
    cleanup_fd int target_fd = target_find(root_fd, path);

    if (target_fd == -ENOENT || target_fd == -ENOTDIR)
        return 0;
    int rc = target_fd < 0 ? target_fd : sys_fstatat(target_fd, "", &st, AT_EMPTY_PATH);
    if (rc < 0)
        return fail_sys(err, rc, "cannot mask '%s'", path);
    cleanup_fd int cover_fd = open_cover(S_ISDIR(st.st_mode), null_fd, err);
    return cover_fd < 0 ? -1 : target_attach(cover_fd, target_fd, path, err);
}

static int open_cover(bool is_directory, int null_fd, struct error *err)
{
    static const char *data[] = { "size=0", "nr_inodes=1", "mode=555" };
    static const struct mount_options options = {
        .set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
        .data = data,
        .data_count = ARRAY_SIZE(data),
    };

    if (is_directory)
        return mount_filesystem("tmpfs", "tmpfs", &options, err);
    int fd = sys_open_tree(null_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
    return fd < 0 ? fail_sys(err, fd, "cannot clone the null device") : fd;
}
