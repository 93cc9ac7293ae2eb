/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts of a spec.  Sources are opened once, before the container's process exists and with
 * the host's view (mount_source.c); targets are resolved inside the root, one after the other, by
 * that process (mount.c).  In between a mount is only a descriptor.
 */
#ifndef RUNNER_MOUNT_H
#define RUNNER_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "runner/cgroup/cgroup.h"
#include "runner/spec/mount_option.h"
#include "runner/spec/spec.h"

struct mount {
    const struct mount_spec *spec;
    struct mount_options options;
    const char *type;
    int fd;         /* detached tree of a bind or of a whole cgroup v2; else -1 */
    bool is_file;   /* the source is not a directory */
    int *group_fds; /* cgroup on v1: one detached tree a hierarchy */
};

struct mounts {
    struct mount *items;
    size_t count;
    const struct cgroup *cgroup;
    uint64_t root_propagation; /* MS_* that binds begin with */
};

/* Opens every source.  Errors: NOT_FOUND, DENIED, INVALID. */
int mounts_prepare(struct arena *mem, const struct spec *spec, const struct cgroup *cgroup,
                   struct mounts *mounts, struct error *err);

/*
 * Gives those mounts that ask for it their id mapping: their own, or that of 'userns_fd', the
 * container's.  Must come before any is attached.
 */
int mounts_map_ids(struct arena *mem, const struct mounts *mounts, int userns_fd,
                   struct error *err);
bool mounts_want_userns(const struct mounts *mounts);

/* True when a mount is id-mapped at all: the process must wait for it before attaching any. */
bool mounts_are_mapped(const struct mounts *mounts);
void mounts_close(struct mounts *mounts);

/*
 * Attaches all below the root; called in the container's namespaces, the host's tree still being
 * there.  *devpts_fd becomes a descriptor of the root of the mount on /dev/pts, if there is one;
 * NULL when nobody wants it.
 */
int mounts_attach(struct arena *mem, const struct mounts *mounts, int root_fd, int *devpts_fd,
                  struct error *err);

/* A new detached mount of a file system with the options' data and flags. */
int mount_filesystem(const char *type, const char *source, const struct mount_options *options,
                     struct error *err);

/*
 * mount_copy.c: copies the tree at 'from_fd' into the directory 'to_fd' (tmpcopyup), with its mode
 * unless 'keeps_mode'.
 */
int mount_copy_tree(int from_fd, int to_fd, bool keeps_mode, struct error *err);

/* mount_cgroup.c */
int mount_cgroup_prepare(struct arena *mem, struct mount *mount, const struct cgroup *cgroup,
                         struct error *err);
int mount_cgroup_attach(const struct mount *mount, const struct cgroup *cgroup, int root_fd,
                        struct error *err);

#endif
