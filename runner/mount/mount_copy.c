/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying what an image has at a mount point into the fresh tmpfs that will hide it (tmpcopyup).
 * Everything is done relative to descriptors; no link is ever followed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fs.h"
#include "base/sys.h"
#include "runner/mount/mount.h"

#define DEPTH_MAX 64

static int copy_entries(int from_fd, int to_fd, int depth);
static int copy_entry(int from_fd, int to_fd, const char *name, int depth);
static int copy_directory(int from_fd, int to_fd, const char *name, const struct stat *st,
                          int depth);
static int copy_file(int from_fd, int to_fd, const char *name, const struct stat *st);
static int copy_link(int from_fd, int to_fd, const char *name);
static int copy_owner(int fd, const struct stat *st);

int mount_copy_tree(int from_fd, int to_fd, bool keeps_mode, struct error *err)
{
    struct stat own;
    struct stat st;
    int rc = sys_fstatat(from_fd, "", &st, AT_EMPTY_PATH);
    cleanup_fd int root_fd = rc < 0 ? rc : sys_openat(to_fd, ".", O_RDONLY | O_DIRECTORY, 0);

    if (rc >= 0)
        rc = root_fd < 0 ? root_fd : copy_entries(from_fd, root_fd, 0);
    if (rc >= 0 && keeps_mode && (rc = sys_fstatat(root_fd, "", &own, AT_EMPTY_PATH)) >= 0)
        st.st_mode = own.st_mode;
    if (rc >= 0)
        rc = copy_owner(root_fd, &st);
    return rc < 0 ? fail_sys(err, rc, "cannot copy the image's files into a tmpfs") : 0;
}

static int copy_entries(int from_fd, int to_fd, int depth)
{
    cleanup_dir DIR *dir = NULL;
    int rc = depth > DEPTH_MAX ? -ELOOP : dir_open(from_fd, ".", &dir);

    if (rc < 0)
        return rc;
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;) {
        rc = copy_entry(from_fd, to_fd, entry->d_name, depth);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int copy_entry(int from_fd, int to_fd, const char *name, int depth)
{
    struct stat st;
    int rc = sys_fstatat(from_fd, name, &st, AT_SYMLINK_NOFOLLOW);

    if (rc < 0)
        return rc;
    if (S_ISDIR(st.st_mode))
        return copy_directory(from_fd, to_fd, name, &st, depth);
    if (S_ISREG(st.st_mode))
        return copy_file(from_fd, to_fd, name, &st);
    if (S_ISLNK(st.st_mode))
        return copy_link(from_fd, to_fd, name);
    return 0; /* devices, sockets and pipes of an image are not its content */
}

static int copy_directory(int from_fd, int to_fd, const char *name, const struct stat *st,
                          int depth)
{
    int rc = sys_mkdirat(to_fd, name, 0700);

    if (rc < 0)
        return rc;
    cleanup_fd int from = sys_openat(from_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
    if (from < 0)
        return from;
    cleanup_fd int to = sys_openat(to_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (to < 0)
        return to;
    rc = copy_entries(from, to, depth + 1);
    return rc < 0 ? rc : copy_owner(to, st);
}

static int copy_file(int from_fd, int to_fd, const char *name, const struct stat *st)
{
    cleanup_fd int from = sys_openat(from_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);

    if (from < 0)
        return from;
    cleanup_fd int to = sys_openat(to_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (to < 0)
        return to;
    for (;;) {
        ssize_t sent = sendfile(to, from, NULL, SSIZE_MAX & ~(ssize_t)4095);
        if (sent < 0)
            return -errno;
        if (sent == 0)
            return copy_owner(to, st);
    }
}

static int copy_link(int from_fd, int to_fd, const char *name)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(from_fd, name, target, sizeof(target) - 1);

    if (length < 0)
        return -errno;
    target[length] = '\0';
    return sys_symlinkat(target, to_fd, name);
}

/* The owner first: changing it clears set-id bits. */
static int copy_owner(int fd, const struct stat *st)
{
    int rc = sys_fchownat(fd, "", st->st_uid, st->st_gid, AT_EMPTY_PATH);

    return rc < 0 ? rc : sys_fchmod(fd, st->st_mode & 07777);
}
