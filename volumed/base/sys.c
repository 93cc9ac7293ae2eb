/* SPDX-License-Identifier: Apache-2.0 */
/* Thin wrappers: retry, -errno, fault point.  No policy. */
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/quota.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fault.h"

#define OPENAT2_TRIES 64

/* The two shapes of every wrapper below; an expression, so that the call stays readable. */
#define RETRY(call)                            \
    ({                                         \
        long result_;                          \
        do                                     \
            result_ = (long)(call);            \
        while (result_ < 0 && errno == EINTR); \
        result_ < 0 ? -errno : (int)result_;   \
    })
#define CHANGE(call)                             \
    ({                                           \
        int injected_ = FAULT_POINT();           \
        injected_ < 0 ? injected_ : RETRY(call); \
    })

void sys_close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* what matters was synced; EINTR closes all the same on Linux */
    *fd = -1;
}

int move_fd(int *fd)
{
    int moved = *fd;

    *fd = -1;
    return moved;
}

int sys_openat(int dirfd, const char *path, int flags, mode_t mode)
{
    bool is_making = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;

    if (is_making) {
        int injected = FAULT_POINT();
        if (injected < 0)
            return injected;
    }
    return RETRY(openat(dirfd, path, flags | O_CLOEXEC, mode));
}

int sys_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
        .mode = (flags & O_CREAT) != 0 ? mode : 0,
        .resolve = resolve,
    };
    int rc = FAULT_POINT();

    for (int tries = 0; rc == 0 && tries < OPENAT2_TRIES; tries++) {
        rc = RETRY(syscall(SYS_openat2, dirfd, path, &how, sizeof(how)));
        if (rc != -EAGAIN) /* a rename raced with the look-up */
            return rc;
        rc = 0;
    }
    return rc < 0 ? rc : -EAGAIN;
}

int sys_mkdirat(int dirfd, const char *path, mode_t mode)
{
    return CHANGE(mkdirat(dirfd, path, mode));
}

int sys_unlinkat(int dirfd, const char *path, int flags)
{
    return CHANGE(unlinkat(dirfd, path, flags));
}

int sys_renameat2(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path,
                  unsigned int flags)
{
    return CHANGE(renameat2(old_dirfd, old_path, new_dirfd, new_path, flags));
}

int sys_linkat(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path, int flags)
{
    return CHANGE(linkat(old_dirfd, old_path, new_dirfd, new_path, flags));
}

int sys_symlinkat(const char *target, int dirfd, const char *path)
{
    return CHANGE(symlinkat(target, dirfd, path));
}

int sys_mknodat(int dirfd, const char *path, mode_t mode, dev_t dev)
{
    return CHANGE(mknodat(dirfd, path, mode, dev));
}

int sys_fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags)
{
    return CHANGE(fchownat(dirfd, path, uid, gid, flags));
}

int sys_fchmod(int fd, mode_t mode)
{
    return CHANGE(fchmod(fd, mode));
}

int sys_fchmodat(int dirfd, const char *path, mode_t mode)
{
    return CHANGE(fchmodat(dirfd, path, mode, 0));
}

int sys_ftruncate(int fd, off_t size)
{
    return CHANGE(ftruncate(fd, size));
}

int sys_fallocate(int fd, int mode, off_t offset, off_t size)
{
    return CHANGE(fallocate(fd, mode, offset, size));
}

int sys_fsync(int fd)
{
    return CHANGE(fsync(fd));
}

int sys_fdatasync(int fd)
{
    return CHANGE(fdatasync(fd));
}

int sys_syncfs(int fd)
{
    return CHANGE(syncfs(fd));
}

int sys_ioctl(int fd, unsigned long request, void *argument)
{
    return CHANGE(ioctl(fd, request, argument));
}

int sys_quotactl_fd(int fd, unsigned int command, uint32_t id, void *argument)
{
    if (command >> SUBCMDSHIFT == Q_SETQUOTA) {
        int injected = FAULT_POINT();
        if (injected < 0)
            return injected;
    }
    return RETRY(syscall(SYS_quotactl_fd, fd, command, id, argument));
}

int sys_utimensat(int dirfd, const char *path, const struct timespec times[2], int flags)
{
    return CHANGE(utimensat(dirfd, path, times, flags));
}

static int set_xattr(int fd, const char *path, const char *name, const void *value, size_t size)
{
    return fd >= 0 ? fsetxattr(fd, name, value, size, 0) : lsetxattr(path, name, value, size, 0);
}

int sys_setxattr(int fd, const char *path, const char *name, const void *value, size_t size)
{
    return CHANGE(set_xattr(fd, path, name, value, size));
}

int sys_removexattr(int fd, const char *name)
{
    int rc = CHANGE(fremovexattr(fd, name));

    return rc == -ENODATA || rc == -EPERM || rc == -EOPNOTSUPP ? 0 : rc;
}

int sys_copy_file_range(int from_fd, off_t *from, int to_fd, off_t *to, size_t size)
{
    return CHANGE(copy_file_range(from_fd, from, to_fd, to, size, 0));
}

int sys_fstatat(int dirfd, const char *path, struct stat *st, int flags)
{
    return RETRY(fstatat(dirfd, path, st, flags));
}

int sys_write_all(int fd, const void *data, size_t size)
{
    const char *next = data;
    int rc = FAULT_POINT();

    while (rc >= 0 && size > 0) {
        ssize_t written = sys_write(fd, next, size);
        if (written < 0)
            return (int)written;
        next += written;
        size -= (size_t)written;
    }
    return rc;
}

ssize_t sys_read_all(int fd, void *data, size_t size)
{
    size_t used = 0;

    while (used < size) {
        ssize_t got = sys_read(fd, (char *)data + used, size - used);
        if (got < 0)
            return got;
        if (got == 0)
            break;
        used += (size_t)got;
    }
    return (ssize_t)used;
}

ssize_t sys_read(int fd, void *data, size_t size)
{
    return RETRY(read(fd, data, size));
}

ssize_t sys_write(int fd, const void *data, size_t size)
{
    return RETRY(write(fd, data, size));
}

int sys_open_tree(int dirfd, const char *path, unsigned int flags)
{
    return CHANGE(open_tree(dirfd, path, flags | OPEN_TREE_CLOEXEC));
}

int sys_move_mount(int from_dirfd, const char *from_path, int to_dirfd, const char *to_path,
                   unsigned int flags)
{
    return CHANGE(move_mount(from_dirfd, from_path, to_dirfd, to_path, flags));
}

int sys_fsopen(const char *type)
{
    return CHANGE(fsopen(type, FSOPEN_CLOEXEC));
}

int sys_fsconfig(int fs_fd, const char *key, const char *value)
{
    unsigned int command = value == NULL ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;

    return CHANGE(fsconfig(fs_fd, command, key, value, 0));
}

int sys_fsconfig_fd(int fs_fd, const char *key, int fd)
{
    return CHANGE(fsconfig(fs_fd, FSCONFIG_SET_FD, key, NULL, fd));
}

int sys_fsconfig_create(int fs_fd)
{
    return CHANGE(fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
}

int sys_fsmount(int fs_fd, unsigned int attributes)
{
    return CHANGE(fsmount(fs_fd, FSMOUNT_CLOEXEC, attributes));
}

int sys_remount(const char *path, unsigned long flags)
{
    return CHANGE(mount(NULL, path, NULL, MS_REMOUNT | flags, NULL));
}

int sys_umount2(const char *path, int flags)
{
    return CHANGE(umount2(path, flags));
}

int sys_mount_setattr(int dirfd, const char *path, unsigned int flags,
                      const struct mount_attr *attr)
{
    struct mount_attr copy = *attr; /* the prototype is not const, the kernel only reads */

    return CHANGE(mount_setattr(dirfd, path, flags, &copy, sizeof(copy)));
}

int sys_pidfd_open(pid_t pid)
{
    return RETRY(syscall(SYS_pidfd_open, pid, 0));
}

int sys_pidfd_send_signal(int pidfd, int signal)
{
    return RETRY(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int sys_connect_unix_at(int dirfd, const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    cleanup_fd int fd = -1;

    int length =
        snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dirfd, name);
    if (length < 0 || (size_t)length >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    fd = RETRY(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (fd < 0)
        return fd;
    int rc = RETRY(connect(fd, (const struct sockaddr *)&address, sizeof(address)));
    return rc < 0 ? rc : move_fd(&fd);
}
