/* SPDX-License-Identifier: Apache-2.0 */
/* The three changes, each: look from outside, join, one system call on descriptors. */
#include "runner/mount/hot_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "base/sys.h"
#include "runner/mount/hot_place.h"
#include "runner/mount/target.h"
#include "runner/spec/mount_option.h"

static int clone_source(struct arena *mem, const struct hot_mount *mount, int source_fd,
                        struct error *err);
static int open_target(const struct hot_place *place, const struct hot_mount *mount, int source_fd,
                       struct error *err);
static int look(struct arena *mem, const struct container *container, const struct hot_mount *mount,
                struct hot_place *place, struct hot_line *line, struct error *err);
static void read_options(struct arena *mem, const char *text, struct mount_options *options);
static int unmount(const struct hot_place *place, const struct hot_line *line, int flags);
static int fail_busy(struct arena *mem, const struct hot_mount *mount, const char *user,
                     struct error *err);

int hot_mount_attach(struct arena *mem, const struct container *container,
                     const struct hot_mount *mount, int source_fd, struct error *err)
{
    cleanup_hot_place struct hot_place place = HOT_PLACE_NONE;
    struct hot_line line = { 0 };
    int found = look(mem, container, mount, &place, &line, err);

    if (found != 0)
        return found < 0 ? -1 : 0;
    cleanup_fd int mount_fd = clone_source(mem, mount, source_fd, err);
    if (mount_fd < 0)
        return -1;
    cleanup_fd int target_fd = open_target(&place, mount, mount_fd, err);
    if (target_fd < 0 || hot_place_join(&place, err) < 0)
        return -1;
    return target_attach(mount_fd, target_fd, mount->path, err);
}

int hot_mount_change(struct arena *mem, const struct container *container,
                     const struct hot_mount *mount, struct error *err)
{
    cleanup_hot_place struct hot_place place = HOT_PLACE_NONE;
    struct mount_options options = { 0 };
    struct hot_line line = { 0 };
    int found = look(mem, container, mount, &place, &line, err);

    if (found <= 0)
        return found < 0 ? -1
                         : fail(err, ERR_NOT_FOUND,
                                "'%s' is not mounted, or hidden by another mount", mount->path);
    read_options(mem, mount->options, &options);
    const struct mount_attr attr = { .attr_set = options.set | options.recursive_set,
                                     .attr_clr = options.clear | options.recursive_clear };
    cleanup_fd int fd = target_find(place.root_fd, mount->path);
    if (fd < 0 || hot_mount_id(fd, "") != line.id)
        return fail(err, ERR_BUSY, "the mounts at '%s' are changing", mount->path);
    if (hot_place_join(&place, err) < 0)
        return -1;
    int rc = sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr);
    if (rc == -EBUSY)
        return fail_busy(mem, mount, hot_user_find(mem, &place, line.id, true), err);
    return rc < 0 ? fail_sys(err, rc, "cannot change the mount on '%s'", mount->path) : 0;
}

int hot_mount_detach(struct arena *mem, const struct container *container,
                     const struct hot_mount *mount, bool is_forced, struct error *err)
{
    cleanup_hot_place struct hot_place place = HOT_PLACE_NONE;
    const char *child = NULL;
    struct hot_line line = { 0 };
    int found = look(mem, container, mount, &place, &line, err);

    if (found <= 0)
        return found;
    if (!is_forced && hot_place_has_child(mem, &place, line.id, &child))
        return fail(err, ERR_BUSY, "'%s' is in use: '%s' is mounted in it", mount->path, child);
    if (hot_place_join(&place, err) < 0)
        return -1;
    int rc = unmount(&place, &line, is_forced ? MNT_DETACH : 0);
    if (rc == -EBUSY)
        return fail_busy(mem, mount, hot_user_find(mem, &place, line.id, false), err);
    return rc < 0 ? fail_sys(err, rc, "cannot unmount '%s'", mount->path) : 0;
}

/* 1: the mount is there, and 'line' is it; 0: it is not. */
static int look(struct arena *mem, const struct container *container, const struct hot_mount *mount,
                struct hot_place *place, struct hot_line *line, struct error *err)
{
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* nobody in there looks at us; cannot fail */
    /* One change at a time, and none for a caller that is gone: it asks again when it is back. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (flock(container->state_fd, LOCK_EX) < 0)
        return fail_sys(err, -errno, "cannot lock container '%s'", container->id);
    if (hot_place_open(mem, container, place, err) < 0)
        return -1;
    int found = hot_place_find(mem, place, mount->path, mount->token, line);
    return found < 0 ? fail_sys(err, found, "cannot look at '%s'", mount->path) : found;
}

/*
 * What the container mounts below must not appear on the host, nor the reverse: the clone leaves
 * its peer group before anybody sees it.
 */
static int clone_source(struct arena *mem, const struct hot_mount *mount, int source_fd,
                        struct error *err)
{
    struct mount_options options = { 0 };
    struct mount_attr private = { .propagation = MS_PRIVATE };
    cleanup_fd int fd =
        sys_open_tree(source_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | AT_RECURSIVE);

    if (fd == -EINVAL) /* before Linux 6.15 a detached mount cannot be cloned: it is used up */
        fd = fcntl(source_fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return fail_sys(err, fd, "cannot take what is to be mounted on '%s'", mount->path);
    read_options(mem, mount->options, &options);
    const struct mount_attr attr = { .attr_set = options.set | options.recursive_set,
                                     .attr_clr = options.clear | options.recursive_clear };
    int rc = sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &private);
    if (rc >= 0)
        rc = sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
    return rc < 0 ? fail_sys(err, rc, "cannot set the options of the mount on '%s'", mount->path)
                  : move_fd(&fd);
}

/* Files of /proc and /sys decide what others may do, also what we write there. */
static int open_target(const struct hot_place *place, const struct hot_mount *mount, int source_fd,
                       struct error *err)
{
    struct stat st;
    int rc = sys_fstatat(source_fd, "", &st, AT_EMPTY_PATH);

    if (rc < 0)
        return fail_sys(err, rc, "cannot look at what is to be mounted on '%s'", mount->path);
    cleanup_fd int fd =
        target_make(place->root_fd, mount->path,
                    S_ISDIR(st.st_mode) ? TARGET_DIRECTORY : TARGET_FILE, false, err);
    if (fd < 0)
        return -1;
    int64_t magic = fs_magic(fd);
    if (path_is_within(mount->path, "/proc") || path_is_within(mount->path, "/sys") ||
        magic == PROC_SUPER_MAGIC || magic == SYSFS_MAGIC || magic == CGROUP2_SUPER_MAGIC ||
        magic == CGROUP_SUPER_MAGIC)
        return fail(err, ERR_DENIED, "nothing can be mounted on '%s'", mount->path);
    return move_fd(&fd);
}

static void read_options(struct arena *mem, const char *text, struct mount_options *options)
{
    const char **list = arena_array(mem, strlen(text) + 2, sizeof(*list));
    size_t count = 0;

    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        if (length > 0)
            list[count++] = arena_strndup(mem, text, length);
        text += length + (text[length] == ',');
    }
    mount_options_read(mem, list, options);
}

/*
 * There is no unmounting by descriptor: it is done by the last component of the mount point, from
 * the directory that it is in, after a look that the mount found before is still what is there.
 */
static int unmount(const struct hot_place *place, const struct hot_line *line, int flags)
{
    const char *target = line->target != NULL ? line->target : "";
    const char *name = path_base(target);
    char parent[4096];
    size_t length = (size_t)(name - target);

    if (length >= sizeof(parent) || *name == '\0')
        return -EINVAL;
    memcpy(parent, target, length);
    parent[length] = '\0';
    cleanup_fd int parent_fd = length <= 1
                                   ? sys_openat(place->root_fd, ".", O_PATH | O_DIRECTORY, 0)
                                   : target_find_plain(place->root_fd, parent);
    if (parent_fd < 0)
        return parent_fd;
    if (fchdir(parent_fd) < 0)
        return -errno;
    struct statx stx;
    if (statx(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &stx) < 0)
        return -errno;
    if (stx.stx_mnt_id != line->id)
        return -EAGAIN;
    return sys_umount2(name, flags | UMOUNT_NOFOLLOW);
}

static int fail_busy(struct arena *mem, const struct hot_mount *mount, const char *user,
                     struct error *err)
{
    (void)mem;
    return fail(err, ERR_BUSY, "'%s' is in use: %s", mount->path,
                user != NULL ? user : "somebody holds it who is not to be seen");
}
