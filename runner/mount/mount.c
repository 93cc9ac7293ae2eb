/* SPDX-License-Identifier: Apache-2.0 */
/* Attaching mounts below a container's root. */
#include "runner/mount/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/fs.h"
#include "base/path.h"
#include "base/sys.h"
#include "runner/mount/target.h"
#include "runner/process/descriptor.h"

#define FSCONFIG_VALUE_MAX 255 /* of one string; longer ones must go through mount(2) */

/*
 * What may be bound over files of /proc (lxcfs does): none of these decides anything for the
 * runtime.  Everything else there could make a later write to /proc go astray.
 */
static const char *const proc_targets[] = {
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/slabinfo",
    "/proc/net/dev",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/sys/crypto/fips_enabled",
};

/* File systems of one superblock a namespace: read-only is a flag of the mount only. */
static const char *const virtual_types[] = { "proc",   "sysfs",   "mqueue", "devpts",
                                             "cgroup", "cgroup2", "tmpfs" };

/* Linux refuses these to a user namespace that does not own the PID or network namespace too. */
static const struct {
    const char *type;
    const char *host_path;
} host_copies[] = {
    { "proc", "/proc" },
    { "sysfs", "/sys" },
};

static int attach_one(struct arena *mem, const struct mounts *mounts, const struct mount *mount,
                      int root_fd, int *devpts_fd, struct error *err);
static int check_target(const struct mount *mount, int target_fd, struct error *err);
static bool is_allowed_in_proc(const char *path);
static bool is_plain_type(const char *type);
static bool has_long_data(const struct mount_options *options);
static bool is_terminals(const struct mount *mount);
static bool is_simple(const struct mount *mount, bool needs_terminals);
static unsigned long legacy_flags(uint64_t attributes);
static bool has_data(const struct mount_options *options, const char *key);
static int open_mount(const struct mount *mount, struct error *err);
static int copy_host_mount(const char *type, const struct mount_options *options);
static int mount_by_string(struct arena *mem, const struct mount *item, int target_fd,
                           struct error *err);
static int configure(int fs_fd, const struct mount_options *options, struct error *err);

int mounts_attach(struct arena *mem, const struct mounts *mounts, int root_fd, int *devpts_fd,
                  struct error *err)
{
    for (size_t i = 0; i < mounts->count; i++) {
        const struct mount *mount = &mounts->items[i];
        bool is_skipped = mount->options.is_bind && mount->fd < 0; /* optional, and not there */
        if (!is_skipped && attach_one(mem, mounts, mount, root_fd, devpts_fd, err) < 0)
            return -1;
    }
    target_forget();
    return 0;
}

int mount_filesystem(const char *type, const char *source, const struct mount_options *options,
                     struct error *err)
{
    bool is_virtual = false;
    cleanup_fd_later int fs_fd = sys_fsopen(type);

    if (fs_fd < 0)
        return fail_sys(err, fs_fd, "cannot open file system '%s'", type);
    for (size_t i = 0; i < ARRAY_SIZE(virtual_types); i++)
        is_virtual |= strcmp(type, virtual_types[i]) == 0;
    int rc = source != NULL ? sys_fsconfig(fs_fd, "source", source) : 0;
    if (rc >= 0 && !is_virtual && (options->set & MOUNT_ATTR_RDONLY) != 0)
        rc = sys_fsconfig(fs_fd, "ro", NULL);
    if (rc < 0)
        return fail_sys(err, rc, "cannot set the source of a %s", type);
    if (configure(fs_fd, options, err) < 0)
        return -1;
    rc = sys_fsconfig_create(fs_fd);
    if (rc < 0)
        return fail_sys(err, rc, "cannot make a %s", type);
    int fd = sys_fsmount(fs_fd, (unsigned int)(options->set | options->recursive_set));
    return fd < 0 ? fail_sys(err, fd, "cannot mount a %s", type) : fd;
}

static int attach_one(struct arena *mem, const struct mounts *mounts, const struct mount *mount,
                      int root_fd, int *devpts_fd, struct error *err)
{
    const char *path = mount->spec->destination;

    if (mount->group_fds != NULL)
        return mount_cgroup_attach(mount, mounts->cgroup, root_fd, err);
    bool is_new = false;
    cleanup_fd_later int target_fd =
        target_make_new(root_fd, path, mount->is_file ? TARGET_FILE : TARGET_DIRECTORY,
                        is_plain_type(mount->type), &is_new, err);
    if (target_fd < 0)
        return -1;
    if (!is_new)
        target_forget();
    if (check_target(mount, is_new ? -1 : target_fd, err) < 0)
        return -1;
    if (mount->fd >= 0)
        return target_attach(mount->fd, target_fd, path, err);
    if (has_long_data(&mount->options))
        return mount_by_string(mem, mount, target_fd, err);
    if (is_simple(mount, devpts_fd != NULL) && mount_by_string(mem, mount, target_fd, err) == 0)
        return 0;
    cleanup_fd_later int fd = open_mount(mount, err);
    if (fd < 0 ||
        (mount->options.copies_up &&
         mount_copy_tree(target_fd, fd, has_data(&mount->options, "mode="), err) < 0) ||
        target_attach(fd, target_fd, path, err) < 0)
        return error_prefix(err, "cannot mount '%s'", path);
    if (devpts_fd != NULL && is_terminals(mount)) {
        sys_close_fd(devpts_fd);
        *devpts_fd = move_fd(&fd);
    }
    return 0;
}

/*
 * 'target_fd' -1 is a directory that we have made, which is in no procfs.
 *
 * Nothing but a procfs may become /proc, and nothing may hide a file of it that we, or the
 * container's own security software, would write to.
 */
static int check_target(const struct mount *mount, int target_fd, struct error *err)
{
    const char *path = mount->spec->destination;
    bool is_proc = strcmp(path, "/proc") == 0;

    if (is_proc && strcmp(mount->type, "proc") != 0 &&
        (mount->fd < 0 || fs_magic(mount->fd) != PROC_SUPER_MAGIC))
        return fail(err, ERR_DENIED, "only a procfs can be mounted on '/proc'");
    if (!is_proc && !is_allowed_in_proc(path) &&
        (path_is_within(path, "/proc") ||
         (target_fd >= 0 && fs_magic(target_fd) == PROC_SUPER_MAGIC)))
        return fail(err, ERR_DENIED, "'%s' is inside a procfs: nothing can be mounted there", path);
    return 0;
}

static bool is_allowed_in_proc(const char *path)
{
    for (size_t i = 0; i < ARRAY_SIZE(proc_targets); i++)
        if (strcmp(path, proc_targets[i]) == 0)
            return true;
    return false;
}

/* An image in which /proc or /sys is a link would have them mounted where it wants. */
static bool is_plain_type(const char *type)
{
    return strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0;
}

static bool has_long_data(const struct mount_options *options)
{
    for (size_t i = 0; i < options->data_count; i++)
        if (strlen(options->data[i]) > FSCONFIG_VALUE_MAX)
            return true;
    return false;
}

/* The mount that the console's terminal comes from. */
static bool is_terminals(const struct mount *mount)
{
    return strcmp(mount->type, "devpts") == 0 && strcmp(mount->spec->destination, "/dev/pts") == 0;
}

/*
 * True when mount(2) does the same by one call instead of six.  Not when it is to be read-only:
 * there that would be the file system, which others may share.  Should it fail, the other way will,
 * with a better message.
 */
static bool is_simple(const struct mount *mount, bool needs_terminals)
{
    const struct mount_options *options = &mount->options;
    bool is_virtual = false;

    for (size_t i = 0; i < ARRAY_SIZE(virtual_types); i++)
        is_virtual |= strcmp(mount->type, virtual_types[i]) == 0;
    return is_virtual && !options->copies_up && options->recursive_set == 0 &&
           (options->set & MOUNT_ATTR_RDONLY) == 0 && !(needs_terminals && is_terminals(mount));
}

static unsigned long legacy_flags(uint64_t attributes)
{
    static const struct {
        uint64_t attribute;
        unsigned long flag;
    } flags[] = {
        { MOUNT_ATTR_RDONLY, MS_RDONLY },         { MOUNT_ATTR_NOSUID, MS_NOSUID },
        { MOUNT_ATTR_NODEV, MS_NODEV },           { MOUNT_ATTR_NOEXEC, MS_NOEXEC },
        { MOUNT_ATTR_NODIRATIME, MS_NODIRATIME }, { MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW },
    };

    unsigned long found = 0;

    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        if ((attributes & flags[i].attribute) != 0)
            found |= flags[i].flag;
    if ((attributes & MOUNT_ATTR__ATIME) == MOUNT_ATTR_NOATIME)
        found |= MS_NOATIME;
    if ((attributes & MOUNT_ATTR__ATIME) == MOUNT_ATTR_STRICTATIME)
        found |= MS_STRICTATIME;
    return found;
}

static bool has_data(const struct mount_options *options, const char *key)
{
    for (size_t i = 0; i < options->data_count; i++)
        if (strncmp(options->data[i], key, strlen(key)) == 0)
            return true;
    return false;
}

static int open_mount(const struct mount *mount, struct error *err)
{
    int fd = mount_filesystem(mount->type, mount->spec->source, &mount->options, err);

    if (fd < 0 && err->code == ERR_DENIED)
        fd = copy_host_mount(mount->type, &mount->options);
    return fd;
}

/* The host's own, with all below it, read-only.  Returns -1 when it is no such type or fails. */
static int copy_host_mount(const char *type, const struct mount_options *options)
{
    struct mount_attr attr = { .attr_set = options->set | MOUNT_ATTR_RDONLY,
                               .attr_clr = options->clear & ~(uint64_t)MOUNT_ATTR_RDONLY };

    for (size_t i = 0; i < ARRAY_SIZE(host_copies); i++) {
        if (strcmp(type, host_copies[i].type) != 0)
            continue;
        cleanup_fd_later int fd =
            sys_open_tree(AT_FDCWD, host_copies[i].host_path, OPEN_TREE_CLONE | AT_RECURSIVE);
        if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) < 0)
            return -1;
        return move_fd(&fd);
    }
    return -1;
}

/*
 * mount(2) on the target's descriptor: also takes data that fsconfig(2) is too narrow for (an
 * overlay of many layers).
 */
static int mount_by_string(struct arena *mem, const struct mount *item, int target_fd,
                           struct error *err)
{
    const struct mount_options *options = &item->options;
    char path[32];
    const char *data = "";

    for (size_t i = 0; i < options->data_count; i++)
        data = arena_printf(mem, "%s%s%s", data, i > 0 ? "," : "", options->data[i]);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", target_fd); /* fits */
    if (mount(item->spec->source, path, item->type, legacy_flags(options->set), data) < 0)
        return fail_sys(err, -errno, "cannot mount '%s'", item->spec->destination);
    return 0;
}

static int configure(int fs_fd, const struct mount_options *options, struct error *err)
{
    char key[64];

    for (size_t i = 0; i < options->data_count; i++) {
        const char *item = options->data[i];
        const char *equals = strchr(item, '=');
        size_t length = equals != NULL ? (size_t)(equals - item) : strlen(item);
        if (length >= sizeof(key))
            return fail(err, ERR_INVALID, "mount option '%.64s…' is too long", item);
        memcpy(key, item, length);
        key[length] = '\0';
        int rc = sys_fsconfig(fs_fd, key, equals != NULL ? equals + 1 : NULL);
        if (rc < 0)
            return fail_sys(err, rc, "cannot set mount option '%s'", item);
    }
    return 0;
}
