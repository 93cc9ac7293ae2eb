/* SPDX-License-Identifier: Apache-2.0 */
/* Making nodes and links, or binding the host's nodes. */
#include "runner/mount/device.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "base/path.h"
#include "base/sys.h"
#include "runner/mount/target.h"
#include "runner/process/descriptor.h"
#include "runner/spec/mount_option.h"

static const struct device_spec default_devices[] = {
    { .type = "c", .path = "/dev/null", .major = 1, .minor = 3 },
    { .type = "c", .path = "/dev/zero", .major = 1, .minor = 5 },
    { .type = "c", .path = "/dev/full", .major = 1, .minor = 7 },
    { .type = "c", .path = "/dev/tty", .major = 5, .minor = 0 },
    { .type = "c", .path = "/dev/random", .major = 1, .minor = 8 },
    { .type = "c", .path = "/dev/urandom", .major = 1, .minor = 9 },
};

static const struct {
    const char *name;
    const char *target;
} links[] = {
    { "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" },
    { "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
    { "core", "/proc/kcore" },       { "ptmx", "pts/ptmx" },
};

static bool has_foreign_dev(const struct spec *spec);
static int make_device(int dir_fd, const char *name, const struct device_spec *device,
                       struct error *err);
static mode_t device_type(const struct device_spec *device);
static int accept_existing(int dir_fd, const char *name, const struct device_spec *device,
                           struct error *err);
static bool is_link_of_ours(const struct device_spec *device);
static bool is_device(const struct stat *st, const struct device_spec *device);
static int bind_host_device(int target_fd, const struct device_spec *device, struct error *err);
static int make_links(int dev_fd, struct error *err);

int devices_make(const struct spec *spec, int root_fd, struct error *err)
{
    if (has_foreign_dev(spec))
        return 0;
    cleanup_fd_later int dev_fd = target_make(root_fd, "/dev", TARGET_DIRECTORY, true, err);
    if (dev_fd < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++)
        if (make_device(dev_fd, path_base(default_devices[i].path), &default_devices[i], err) < 0)
            return -1;
    for (size_t i = 0; i < spec->devices.count; i++) {
        const struct device_spec *device = ARRAY_ITEM(spec->devices, const struct device_spec, i);
        const char *name = NULL;
        if (is_link_of_ours(device))
            continue;
        cleanup_fd_later int dir_fd = target_make_parent(root_fd, device->path, &name, err);
        if (dir_fd < 0 || make_device(dir_fd, name, device, err) < 0)
            return -1;
    }
    return make_links(dev_fd, err);
}

int device_bind_console(int root_fd, int terminal_fd, struct error *err)
{
    struct stat st;
    cleanup_fd_later int dev_fd = target_make(root_fd, "/dev", TARGET_DIRECTORY, true, err);

    if (dev_fd < 0)
        return -1;
    cleanup_fd_later int made_fd =
        sys_openat(dev_fd, "console", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY, 0600);
    if (made_fd < 0 && made_fd != -EEXIST)
        return fail_sys(err, made_fd, "cannot make '/dev/console'");
    cleanup_fd_later int target_fd = sys_openat(dev_fd, "console", O_PATH | O_NOFOLLOW, 0);
    int rc = target_fd < 0 ? target_fd : sys_fstatat(target_fd, "", &st, AT_EMPTY_PATH);
    if (rc < 0)
        return fail_sys(err, rc, "cannot open '/dev/console'");
    if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
        return fail(err, ERR_INVALID, "'/dev/console' is neither a file nor a device");
    cleanup_fd_later int tree_fd = sys_open_tree(terminal_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
    if (tree_fd < 0)
        return fail_sys(err, tree_fd, "cannot clone the terminal");
    return target_attach(tree_fd, target_fd, "/dev/console", err);
}

int device_open_null(struct error *err)
{
    struct stat st;
    cleanup_fd_later int fd = sys_openat(AT_FDCWD, "/dev/null", O_PATH | O_NOFOLLOW, 0);
    int rc = fd < 0 ? fd : sys_fstatat(fd, "", &st, AT_EMPTY_PATH);

    if (rc < 0)
        return fail_sys(err, rc, "cannot open the host's '/dev/null'");
    if (!is_device(&st, &default_devices[0]))
        return fail(err, ERR_DENIED, "the host's '/dev/null' is not the null device");
    return move_fd(&fd);
}

/* The host's /dev/ptmx, which engines copy with all others for a privileged container, is not its.
 */
static bool is_link_of_ours(const struct device_spec *device)
{
    return strcmp(device->path, "/dev/ptmx") == 0;
}

/* A /dev that is bound from elsewhere is somebody else's to fill. */
static bool has_foreign_dev(const struct spec *spec)
{
    for (size_t i = 0; i < spec->mounts.count; i++) {
        const struct mount_spec *mount = ARRAY_ITEM(spec->mounts, const struct mount_spec, i);
        bool is_bind = mount->type != NULL && strcmp(mount->type, "bind") == 0;
        for (const char *const *option = mount->options; option != NULL && *option != NULL;
             option++)
            is_bind |= strcmp(*option, "bind") == 0 || strcmp(*option, "rbind") == 0;
        if (is_bind && strcmp(mount->destination, "/dev") == 0)
            return true;
    }
    return false;
}

/* The umask is 0 while the root is built, so that the mode is the one asked for. */
static int make_device(int dir_fd, const char *name, const struct device_spec *device,
                       struct error *err)
{
    mode_t mode = device->mode.is_set ? (mode_t)device->mode.value & 0777 : 0666;
    mode_t type = device_type(device);

    if (type == 0)
        return fail(err, ERR_INVALID, "unknown type '%s' of device '%s'", device->type,
                    device->path);
    int rc = sys_mknodat(dir_fd, name, type | mode,
                         makedev((unsigned int)device->major, (unsigned int)device->minor));
    if (rc == -EEXIST)
        return accept_existing(dir_fd, name, device, err);
    if (rc == -EPERM && type != S_IFIFO) {
        cleanup_fd_later int file_fd =
            sys_openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
        if (file_fd < 0)
            return fail_sys(err, file_fd, "cannot make device '%s'", device->path);
        cleanup_fd_later int target_fd = sys_openat(dir_fd, name, O_PATH | O_NOFOLLOW, 0);
        return bind_host_device(target_fd, device, err);
    }
    if (rc >= 0 && (device->uid != 0 || device->gid != 0))
        rc = sys_fchownat(dir_fd, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW);
    return rc < 0 ? fail_sys(err, rc, "cannot make device '%s'", device->path) : 0;
}

static mode_t device_type(const struct device_spec *device)
{
    switch (device->type[0]) {
    case 'c':
    case 'u': return S_IFCHR;
    case 'b': return S_IFBLK;
    case 'p': return S_IFIFO;
    default: return 0;
    }
}

static int accept_existing(int dir_fd, const char *name, const struct device_spec *device,
                           struct error *err)
{
    struct stat st;
    cleanup_fd_later int fd = sys_openat(dir_fd, name, O_PATH | O_NOFOLLOW, 0);
    int rc = fd < 0 ? fd : sys_fstatat(fd, "", &st, AT_EMPTY_PATH);

    if (rc < 0)
        return fail_sys(err, rc, "cannot open device '%s'", device->path);
    if (is_device(&st, device))
        return 0;
    if (S_ISREG(st.st_mode)) /* an image's placeholder */
        return bind_host_device(fd, device, err);
    return fail(err, ERR_INVALID, "'%s' exists and is not the device", device->path);
}

static bool is_device(const struct stat *st, const struct device_spec *device)
{
    mode_t type = device_type(device);

    if ((st->st_mode & S_IFMT) != type)
        return false;
    return type == S_IFIFO ||
           st->st_rdev == makedev((unsigned int)device->major, (unsigned int)device->minor);
}

/* Read-only does not keep anybody from writing to a device, but from changing the host's node. */
static int bind_host_device(int target_fd, const struct device_spec *device, struct error *err)
{
    struct mount_attr attr = { .attr_set =
                                   MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC };
    struct stat st;
    cleanup_fd_later int tree_fd =
        sys_open_tree(AT_FDCWD, device->path, OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
    int rc = tree_fd < 0 ? tree_fd : sys_fstatat(tree_fd, "", &st, AT_EMPTY_PATH);

    if (rc < 0)
        return fail_sys(err, rc, "cannot open the host's device '%s'", device->path);
    if (!is_device(&st, device))
        return fail(err, ERR_INVALID, "the host's '%s' is another device", device->path);
    rc = sys_mount_setattr(tree_fd, "", AT_EMPTY_PATH, &attr);
    if (rc < 0)
        return fail_sys(err, rc, "cannot bind the host's device '%s'", device->path);
    return target_attach(tree_fd, target_fd, device->path, err);
}

static int make_links(int dev_fd, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        int rc = sys_symlinkat(links[i].target, dev_fd, links[i].name);
        if (rc < 0 && rc != -EEXIST)
            return fail_sys(err, rc, "cannot make '/dev/%s'", links[i].name);
    }
    return 0;
}
