/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's view of its own control groups on /sys/fs/cgroup.  It is always a bind of its own
 * directories, never a mount of the whole hierarchy, so nothing above them is in reach, whether or
 * not there is a cgroup namespace, and writable only if the spec says so.  A container without
 * groups of its own sees none.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/sys.h"
#include "runner/mount/mount.h"
#include "runner/mount/target.h"
#include "runner/process/descriptor.h"

static int open_group(const struct hierarchy *hierarchy, const struct mount_options *options,
                      struct error *err);
static int clone_group(const struct hierarchy *hierarchy, struct error *err);
static struct mount_attr group_attributes(const struct mount_options *options);
static const char *directory_name(const struct hierarchy *hierarchy);
static int link_controllers(int directory_fd, const char *name);

int mount_cgroup_prepare(struct arena *mem, struct mount *mount, const struct cgroup *cgroup,
                         struct error *err)
{
    if (cgroup->is_unified && cgroup->count > 0) {
        mount->fd = open_group(&cgroup->hierarchies[0], &mount->options, err);
        return mount->fd < 0 ? -1 : 0;
    }
    mount->group_fds = arena_array(mem, cgroup->count + 1, sizeof(*mount->group_fds));
    for (size_t i = 0; i < cgroup->count; i++)
        mount->group_fds[i] = -1;
    for (size_t i = 0; i < cgroup->count; i++) {
        mount->group_fds[i] = clone_group(&cgroup->hierarchies[i], err);
        if (mount->group_fds[i] < 0)
            return -1;
    }
    return 0;
}

int mount_cgroup_attach(const struct mount *mount, const struct cgroup *cgroup, int root_fd,
                        struct error *err)
{
    static const char *data[] = { "mode=755" };
    struct mount_options options = { .set =
                                         MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
                                     .data = data,
                                     .data_count = ARRAY_SIZE(data) };
    struct mount_attr attr = group_attributes(&mount->options);
    const char *path = mount->spec->destination;
    cleanup_fd_later int target_fd = target_make(root_fd, path, TARGET_DIRECTORY, true, err);
    cleanup_fd_later int fd =
        target_fd < 0 ? -1 : mount_filesystem("tmpfs", "cgroup", &options, err);

    if (fd < 0 || target_attach(fd, target_fd, path, err) < 0)
        return -1;
    for (size_t i = 0; i < cgroup->count; i++) {
        const char *name = directory_name(&cgroup->hierarchies[i]);
        int rc = sys_mkdirat(fd, name, 0755);
        if (rc >= 0)
            rc = link_controllers(fd, name);
        if (rc >= 0)
            rc = sys_move_mount(mount->group_fds[i], "", fd, name, MOVE_MOUNT_F_EMPTY_PATH);
        if (rc < 0)
            return fail_sys(err, rc, "cannot mount '%s/%s'", path, name);
    }
    int rc = sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
    return rc < 0 ? fail_sys(err, rc, "cannot set the options of '%s'", path) : 0;
}

static int open_group(const struct hierarchy *hierarchy, const struct mount_options *options,
                      struct error *err)
{
    struct mount_attr attr = group_attributes(options);
    cleanup_fd_later int fd = clone_group(hierarchy, err);

    if (fd < 0)
        return -1;
    int rc = sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr);
    if (rc < 0)
        return fail_sys(err, rc, "cannot set the options of cgroup '%s'", hierarchy->path);
    return move_fd(&fd);
}

static int clone_group(const struct hierarchy *hierarchy, struct error *err)
{
    int fd = sys_open_tree(AT_FDCWD, hierarchy->path, OPEN_TREE_CLONE);

    return fd < 0 ? fail_sys(err, fd, "cannot open cgroup '%s'", hierarchy->path) : fd;
}

static struct mount_attr group_attributes(const struct mount_options *options)
{
    return (struct mount_attr){
        .attr_set = options->set | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
        .attr_clr = options->clear & MOUNT_ATTR__ATIME,
        .propagation = MS_PRIVATE,
    };
}

static const char *directory_name(const struct hierarchy *hierarchy)
{
    const char *slash = strrchr(hierarchy->mount, '/');

    return slash != NULL ? slash + 1 : hierarchy->mount;
}

/* "cpu,cpuacct" is found as "cpu" and as "cpuacct" too. */
static int link_controllers(int directory_fd, const char *name)
{
    char part[64];
    int rc = 0;

    if (strchr(name, ',') == NULL)
        return 0;
    for (const char *at = name; rc >= 0 && *at != '\0'; at += *at == ',') {
        size_t length = strcspn(at, ",");
        if (length < sizeof(part)) {
            memcpy(part, at, length);
            part[length] = '\0';
            rc = sys_symlinkat(name, directory_fd, part);
        }
        at += length;
    }
    return rc;
}
