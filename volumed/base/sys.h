/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls as this code base wants them: -errno instead of errno, EINTR retried here and
 * nowhere else, O_CLOEXEC always, and a fault point (fault.h) in every call that changes something
 * or fails in interesting ways.  All return >= 0 or -errno.
 */
#ifndef BASE_SYS_H
#define BASE_SYS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/base.h"

/* Closes *fd if it is >= 0; for CLEANUP. */
void sys_close_fd(int *fd);
#define cleanup_fd CLEANUP(sys_close_fd)

/* Hands a descriptor over: returns *fd and leaves -1. */
int move_fd(int *fd);

int sys_openat(int dirfd, const char *path, int flags, mode_t mode);

/* openat2(2) with RESOLVE_* flags; EAGAIN is retried a bounded number of times. */
int sys_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve);
int sys_mkdirat(int dirfd, const char *path, mode_t mode);
int sys_unlinkat(int dirfd, const char *path, int flags);
int sys_renameat2(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path,
                  unsigned int flags);
int sys_linkat(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path, int flags);
int sys_symlinkat(const char *target, int dirfd, const char *path);
int sys_mknodat(int dirfd, const char *path, mode_t mode, dev_t dev);
int sys_fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags);
int sys_fchmod(int fd, mode_t mode);
int sys_fchmodat(int dirfd, const char *path, mode_t mode);
int sys_ftruncate(int fd, off_t size);
int sys_fallocate(int fd, int mode, off_t offset, off_t size);
int sys_fsync(int fd);
int sys_fdatasync(int fd);
int sys_syncfs(int fd);
int sys_ioctl(int fd, unsigned long request, void *argument);

/* quotactl_fd(2). */
int sys_quotactl_fd(int fd, unsigned int command, uint32_t id, void *argument);
int sys_utimensat(int dirfd, const char *path, const struct timespec times[2], int flags);

/* lsetxattr(2) where fd is negative, else fsetxattr(2) on it. */
int sys_setxattr(int fd, const char *path, const char *name, const void *value, size_t size);

/* An attribute that is not there, or that the filesystem keeps by itself, is no failure. */
int sys_removexattr(int fd, const char *name);
int sys_copy_file_range(int from_fd, off_t *from, int to_fd, off_t *to, size_t size);
int sys_fstatat(int dirfd, const char *path, struct stat *st, int flags);

/* Whole or -errno; never short. */
int sys_write_all(int fd, const void *data, size_t size);

/* Reads until 'size' bytes or the end; returns the bytes read. */
ssize_t sys_read_all(int fd, void *data, size_t size);
ssize_t sys_read(int fd, void *data, size_t size);
ssize_t sys_write(int fd, const void *data, size_t size);

/* The new mount API. */
int sys_open_tree(int dirfd, const char *path, unsigned int flags);
int sys_move_mount(int from_dirfd, const char *from_path, int to_dirfd, const char *to_path,
                   unsigned int flags);
int sys_fsopen(const char *type);

/* fsconfig(2), FSCONFIG_SET_STRING, or SET_FLAG where value is NULL. */
int sys_fsconfig(int fs_fd, const char *key, const char *value);
int sys_fsconfig_fd(int fs_fd, const char *key, int fd);
int sys_fsconfig_create(int fs_fd);
int sys_fsmount(int fs_fd, unsigned int attributes);
int sys_remount(const char *path,
                unsigned long flags); /* of the filesystem itself, wherever it is */
int sys_umount2(const char *path, int flags);
struct mount_attr;
int sys_mount_setattr(int dirfd, const char *path, unsigned int flags,
                      const struct mount_attr *attr);

int sys_pidfd_open(pid_t pid);
int sys_pidfd_send_signal(int pidfd, int signal);

/* A stream socket connected to the Unix socket 'name' in directory 'dirfd' (no sun_path limit). */
int sys_connect_unix_at(int dirfd, const char *name);

#endif
