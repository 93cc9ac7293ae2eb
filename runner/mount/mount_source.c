/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the sources of mounts, outside the container. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "base/fs.h"
#include "base/sys.h"
#include "runner/mount/mount.h"
#include "runner/process/descriptor.h"
#include "runner/process/idmap.h"

static int prepare_one(struct arena *mem, const struct spec *spec, struct mounts *mounts,
                       struct mount *mount, struct error *err);
static int open_bind(struct arena *mem, const struct spec *spec, uint64_t root_propagation,
                     struct mount *mount, struct error *err);
static int set_propagation(const struct mount *mount, uint64_t root_propagation);
static int set_attributes(const struct mount *mount);
static int set(int fd, bool is_recursive, const struct mount_attr *attr);
static int map_ids(struct arena *mem, const struct mount *mount, int userns_fd, struct error *err);

int mounts_prepare(struct arena *mem, const struct spec *spec, const struct cgroup *cgroup,
                   struct mounts *mounts, struct error *err)
{
    bool is_recursive = false;

    mounts->cgroup = cgroup;
    mounts->root_propagation = MS_SLAVE;
    if (spec->rootfs_propagation != NULL && *spec->rootfs_propagation != '\0') {
        mounts->root_propagation = mount_propagation_find(spec->rootfs_propagation, &is_recursive);
        if (mounts->root_propagation == 0)
            return fail(err, ERR_INVALID, "unknown 'linux.rootfsPropagation' '%s'",
                        spec->rootfs_propagation);
    }
    mounts->items = arena_array(mem, spec->mounts.count, sizeof(*mounts->items));
    for (size_t i = 0; i < spec->mounts.count; i++) {
        struct mount *mount = &mounts->items[mounts->count++];
        mount->spec = ARRAY_ITEM(spec->mounts, const struct mount_spec, i);
        mount->fd = -1;
        if (prepare_one(mem, spec, mounts, mount, err) < 0)
            return -1;
    }
    return 0;
}

bool mounts_want_userns(const struct mounts *mounts)
{
    for (size_t i = 0; i < mounts->count; i++)
        if (mounts->items[i].options.is_idmapped && mounts->items[i].spec->uid_maps.count == 0)
            return true;
    return false;
}

bool mounts_are_mapped(const struct mounts *mounts)
{
    for (size_t i = 0; i < mounts->count; i++)
        if (mounts->items[i].options.is_idmapped || mounts->items[i].spec->uid_maps.count > 0)
            return true;
    return false;
}

int mounts_map_ids(struct arena *mem, const struct mounts *mounts, int userns_fd, struct error *err)
{
    for (size_t i = 0; i < mounts->count; i++) {
        const struct mount *mount = &mounts->items[i];
        bool is_wanted = mount->options.is_idmapped || mount->spec->uid_maps.count > 0;
        if (mount->fd >= 0 && is_wanted && map_ids(mem, mount, userns_fd, err) < 0)
            return -1;
    }
    return 0;
}

void mounts_close(struct mounts *mounts)
{
    for (size_t i = 0; i < mounts->count; i++) {
        struct mount *mount = &mounts->items[i];
        descriptor_close_later(&mount->fd);
        for (size_t j = 0; mount->group_fds != NULL && j < mounts->cgroup->count; j++)
            descriptor_close_later(&mount->group_fds[j]);
    }
}

static int prepare_one(struct arena *mem, const struct spec *spec, struct mounts *mounts,
                       struct mount *mount, struct error *err)
{
    mount_options_read(mem, mount->spec->options, &mount->options);
    mount->type = mount->spec->type != NULL ? mount->spec->type : "none";
    mount->options.is_bind |= strcmp(mount->type, "bind") == 0;
    if (strcmp(mount->spec->destination, "/") == 0)
        return fail(err, ERR_INVALID, "cannot mount on '/'");
    if (mount->options.is_bind)
        return open_bind(mem, spec, mounts->root_propagation, mount, err);
    if (mount->spec->uid_maps.count > 0 || mount->options.is_idmapped)
        return fail(err, ERR_UNSUPPORTED, "id mappings are supported for bind mounts only: '%s'",
                    mount->spec->destination);
    if (strcmp(mount->type, "cgroup") == 0)
        return mount_cgroup_prepare(mem, mount, mounts->cgroup, err);
    return 0;
}

/* The one resolution of a source.  A relative one is relative to the bundle. */
static int open_bind(struct arena *mem, const struct spec *spec, uint64_t root_propagation,
                     struct mount *mount, struct error *err)
{
    const char *source = mount->spec->source;
    struct stat st;

    if (source == NULL || *source == '\0')
        return fail(err, ERR_INVALID, "the mount on '%s' has no source", mount->spec->destination);
    if (*source != '/')
        source = arena_printf(mem, "%s/%s", spec->bundle, source);
    mount->fd = sys_open_tree(AT_FDCWD, source,
                              OPEN_TREE_CLONE | (mount->options.is_recursive ? AT_RECURSIVE : 0u));
    if (mount->fd == -ENOENT && mount->options.is_optional)
        return 0;
    if (mount->fd < 0)
        return fail_sys(err, mount->fd, "cannot open the source '%s' of the mount on '%s'", source,
                        mount->spec->destination);
    int rc = sys_fstatat(mount->fd, "", &st, AT_EMPTY_PATH);
    if (rc >= 0)
        rc = set_propagation(mount, root_propagation);
    if (rc >= 0)
        rc = set_attributes(mount);
    if (rc < 0)
        return fail_sys(err, rc, "cannot set the options of the mount on '%s'",
                        mount->spec->destination);
    mount->is_file = !S_ISDIR(st.st_mode);
    return 0;
}

/*
 * The clone of a shared mount is in its peer group: what the container mounts below would appear on
 * the host.  It leaves the group first, unless the root itself is to be shared.
 */
static int set_propagation(const struct mount *mount, uint64_t root_propagation)
{
    const struct mount_options *options = &mount->options;
    struct mount_attr root = { .propagation = root_propagation };
    struct mount_attr own = { .propagation = options->propagation };
    bool is_own_enough = options->is_propagation_recursive || !options->is_recursive;
    int rc = 0;

    if (root_propagation == MS_UNBINDABLE) /* binds of it would be impossible to make */
        root.propagation = MS_PRIVATE;
    if (root.propagation != MS_SHARED && !(options->propagation == MS_PRIVATE && is_own_enough))
        rc = set(mount->fd, true, &root);
    if (rc >= 0 && options->propagation != 0)
        rc = set(mount->fd, options->is_propagation_recursive, &own);
    return rc;
}

static int set_attributes(const struct mount *mount)
{
    const struct mount_options *options = &mount->options;
    struct mount_attr own = { .attr_set = options->set, .attr_clr = options->clear };
    struct mount_attr all = { .attr_set = options->recursive_set,
                              .attr_clr = options->recursive_clear };
    int rc = 0;

    if ((own.attr_set | own.attr_clr) != 0)
        rc = set(mount->fd, false, &own);
    if (rc >= 0 && (all.attr_set | all.attr_clr) != 0)
        rc = set(mount->fd, true, &all);
    return rc;
}

static int set(int fd, bool is_recursive, const struct mount_attr *attr)
{
    return sys_mount_setattr(fd, "", AT_EMPTY_PATH | (is_recursive ? AT_RECURSIVE : 0u), attr);
}

static int map_ids(struct arena *mem, const struct mount *mount, int userns_fd, struct error *err)
{
    const struct mount_spec *spec = mount->spec;
    cleanup_fd int own_fd = -1;

    if (spec->uid_maps.count > 0) {
        own_fd = idmap_namespace_open(mem, &spec->uid_maps, &spec->gid_maps, err);
        if (own_fd < 0)
            return -1;
        userns_fd = own_fd;
    }
    if (userns_fd < 0)
        return fail(err, ERR_INVALID,
                    "the mount on '%s' is to be id-mapped, and there are neither mappings nor a "
                    "user namespace",
                    spec->destination);
    struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (__u64)userns_fd };
    int rc = set(mount->fd, mount->options.is_idmapped_recursively, &attr);
    return rc < 0 ? fail_sys(err, rc, "cannot map the ids of the mount on '%s'", spec->destination)
                  : 0;
}
