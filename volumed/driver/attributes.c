/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying attributes exactly.  Order matters: a change of owner clears set-id bits and
 * capabilities, so it comes first; a default ACL would colour what is made below a directory, so a
 * directory's attributes are copied when its entries are done (tree_copy.c).
 */
#include "driver/attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/arena.h"
#include "base/sys.h"

#define PATH_SIZE  (NAME_MAX + 64)
#define SMALL_SIZE 1024

static int copy_xattrs(const struct attributes_place *from, const struct attributes_place *to,
                       bool is_lenient);
static int copy_listed(const struct attributes_place *from, const struct attributes_place *to,
                       const char *list, size_t size, bool is_lenient);
static int copy_one(const struct attributes_place *from, const struct attributes_place *to,
                    const char *name);
static int compare_one(const struct attributes_place *left, const struct attributes_place *right,
                       const char *name, bool *is_same);
static ssize_t list_names(const struct attributes_place *place, char *list, size_t size);
static ssize_t get_value(const struct attributes_place *place, const char *name, void *value,
                         size_t size);
static void place_path(const struct attributes_place *place, char path[PATH_SIZE]);
static int set_mode(const struct attributes_place *to, const struct stat *st);
static int set_times(const struct attributes_place *to, const struct stat *st);
static int set_owner(const struct attributes_place *to, const struct stat *st);

int attributes_copy(const struct attributes_place *from, const struct stat *st,
                    const struct attributes_place *to, bool is_lenient)
{
    int rc = set_owner(to, st);

    if (rc >= 0)
        rc = copy_xattrs(from, to, is_lenient);
    if (rc >= 0)
        rc = set_mode(to, st);
    if (rc >= 0)
        rc = set_times(to, st);
    return rc;
}

int attributes_compare(const struct attributes_place *left, const struct attributes_place *right,
                       bool *is_same)
{
    char none[1];
    ssize_t left_size = list_names(left, none, 0);
    ssize_t right_size = list_names(right, none, 0);

    if (left_size == -EOPNOTSUPP && right_size == -EOPNOTSUPP)
        left_size = right_size = 0;
    if (left_size < 0 || right_size < 0)
        return left_size < 0 ? (int)left_size : (int)right_size;
    *is_same =
        left_size == right_size; /* of all names, so that one list has no more than another */
    if (left_size == 0 || !*is_same)
        return 0;
    char *list = mem_alloc(XATTR_LIST_MAX);
    ssize_t size = list_names(left, list, XATTR_LIST_MAX);
    int rc = size < 0 ? (int)size : 0;
    for (const char *name = list; rc >= 0 && *is_same && name < list + size;
         name += strlen(name) + 1)
        rc = compare_one(left, right, name, is_same);
    free(list);
    return rc;
}

static int compare_one(const struct attributes_place *left, const struct attributes_place *right,
                       const char *name, bool *is_same)
{
    char *values = mem_alloc((size_t)2 * XATTR_SIZE_MAX);
    ssize_t left_size = get_value(left, name, values, XATTR_SIZE_MAX);
    ssize_t right_size = get_value(right, name, values + XATTR_SIZE_MAX, XATTR_SIZE_MAX);
    int rc = 0;

    if (right_size == -ENODATA || left_size == -ENODATA)
        *is_same = false;
    else if (left_size < 0 || right_size < 0)
        rc = left_size < 0 ? (int)left_size : (int)right_size;
    else
        *is_same = left_size == right_size &&
                   memcmp(values, values + XATTR_SIZE_MAX, (size_t)left_size) == 0;
    free(values);
    return rc;
}

int attributes_clear(int fd)
{
    char *list = mem_alloc(XATTR_LIST_MAX);
    ssize_t size = flistxattr(fd, list, XATTR_LIST_MAX);
    int rc = size < 0 && errno != EOPNOTSUPP ? -errno : 0;

    for (const char *name = list; rc >= 0 && name < list + size; name += strlen(name) + 1)
        rc = sys_removexattr(fd, name);
    free(list);
    return rc < 0 ? rc : sys_fchownat(fd, "", 0, 0, AT_EMPTY_PATH);
}

static int set_owner(const struct attributes_place *to, const struct stat *st)
{
    if (st->st_uid == 0 && st->st_gid == 0) /* as we made it: most files of most trees */
        return 0;
    if (to->fd >= 0)
        return sys_fchownat(to->fd, "", st->st_uid, st->st_gid, AT_EMPTY_PATH);
    return sys_fchownat(to->dirfd, to->name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW);
}

static int set_mode(const struct attributes_place *to, const struct stat *st)
{
    char path[32];
    struct stat now;

    if (to->fd >= 0) {
        int rc = sys_fstatat(to->fd, "", &now, AT_EMPTY_PATH);
        if (rc < 0 || (now.st_mode & 07777) == (st->st_mode & 07777))
            return rc;
        return sys_fchmod(to->fd, st->st_mode & 07777);
    }
    if (S_ISLNK(st->st_mode)) /* a link has no mode of its own */
        return 0;
    /* By a descriptor: chmod(2) would follow what somebody put there in the meantime. */
    cleanup_fd int fd = sys_openat(to->dirfd, to->name, O_PATH | O_NOFOLLOW, 0);
    int rc = fd < 0 ? fd : sys_fstatat(fd, "", &now, AT_EMPTY_PATH);
    if (rc < 0)
        return rc;
    if ((now.st_mode & S_IFMT) != (st->st_mode & S_IFMT))
        return -EBUSY;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); /* fits */
    return sys_fchmodat(AT_FDCWD, path, st->st_mode & 07777);
}

static int set_times(const struct attributes_place *to, const struct stat *st)
{
    const struct timespec times[2] = { st->st_atim, st->st_mtim };

    if (to->fd >= 0)
        return sys_utimensat(to->fd, "", times, AT_EMPTY_PATH);
    return sys_utimensat(to->dirfd, to->name, times, AT_SYMLINK_NOFOLLOW);
}

static int copy_xattrs(const struct attributes_place *from, const struct attributes_place *to,
                       bool is_lenient)
{
    char small[SMALL_SIZE];
    ssize_t size = list_names(from, small, sizeof(small));

    if (size == -EOPNOTSUPP) /* the source has none */
        return 0;
    if (size != -ERANGE)
        return size < 0 ? (int)size : copy_listed(from, to, small, (size_t)size, is_lenient);
    char *large = mem_alloc(XATTR_LIST_MAX);
    size = list_names(from, large, XATTR_LIST_MAX);
    int rc = size < 0 ? (int)size : copy_listed(from, to, large, (size_t)size, is_lenient);
    free(large);
    return rc;
}

static int copy_listed(const struct attributes_place *from, const struct attributes_place *to,
                       const char *list, size_t size, bool is_lenient)
{
    for (const char *name = list; name < list + size; name += strlen(name) + 1) {
        if ((is_lenient || from->is_upper) && strncmp(name, "trusted.overlay.", 16) == 0)
            continue;
        int rc = copy_one(from, to, name);
        bool is_unknown = rc == -EOPNOTSUPP || rc == -EPERM;
        if (rc < 0 && !(is_unknown && (is_lenient || strcmp(name, "security.selinux") == 0)))
            return rc;
    }
    return 0;
}

static int copy_one(const struct attributes_place *from, const struct attributes_place *to,
                    const char *name)
{
    char small[SMALL_SIZE];
    char path[PATH_SIZE];
    char *large = NULL;
    ssize_t size = get_value(from, name, small, sizeof(small));

    if (size == -ERANGE) {
        large = mem_alloc(XATTR_SIZE_MAX);
        size = get_value(from, name, large, XATTR_SIZE_MAX);
    }
    int rc = (int)size;
    if (size == -ENODATA) { /* removed since it was listed */
        rc = 0;
    } else if (size >= 0) {
        place_path(to, path);
        rc = sys_setxattr(to->fd, path, name, large != NULL ? large : small, (size_t)size);
    }
    free(large);
    return rc;
}

static ssize_t list_names(const struct attributes_place *place, char *list, size_t size)
{
    char path[PATH_SIZE];

    place_path(place, path);
    ssize_t rc = place->fd >= 0 ? flistxattr(place->fd, list, size) : llistxattr(path, list, size);
    return rc < 0 ? -errno : rc;
}

static ssize_t get_value(const struct attributes_place *place, const char *name, void *value,
                         size_t size)
{
    char path[PATH_SIZE];

    place_path(place, path);
    ssize_t rc = place->fd >= 0 ? fgetxattr(place->fd, name, value, size)
                                : lgetxattr(path, name, value, size);
    return rc < 0 ? -errno : rc;
}

/* There is no lgetxattrat before Linux 6.13; the directory's magic link is as good. */
static void place_path(const struct attributes_place *place, char path[PATH_SIZE])
{
    path[0] = '\0';
    if (place->fd < 0)
        (void)snprintf(path, PATH_SIZE, "/proc/self/fd/%d/%s", place->dirfd, place->name);
}
