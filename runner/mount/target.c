/* SPDX-License-Identifier: Apache-2.0 */
/* Resolution and making, component by component. */
#include "runner/mount/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/path.h"
#include "base/sys.h"
#include "runner/process/descriptor.h"

#define LINKS_MAX 40 /* as the kernel's */

/* A walk from the root towards a path that does not exist as a whole. */
struct walk {
    int root_fd;
    char path[PATH_MAX]; /* what is still meant, links resolved as they are met */
    bool is_plain;       /* no link may be met at all */
    int links;
};

static int make_last(int root_fd, const char *path, enum target_kind kind, bool is_plain);
static int make_missing(struct walk *walk, enum target_kind kind);
static int find_or_make(const struct walk *walk, int parent_fd, const char *name, bool is_file);
static int make_component(int parent_fd, const char *name, bool is_file);
static int follow_link(struct walk *walk, int parent_fd, const char *name, size_t start,
                       size_t rest);
static bool is_directory(int fd);
static int fail_target(struct error *err, int rc, const char *path);

int target_find(int root_fd, const char *path)
{
    return path_open_in_root(root_fd, path, O_PATH);
}

int target_find_plain(int root_fd, const char *path)
{
    return path_open_beneath(root_fd, path, O_PATH);
}

int target_make(int root_fd, const char *path, enum target_kind kind, bool is_plain,
                struct error *err)
{
    int fd = is_plain ? target_find_plain(root_fd, path) : target_find(root_fd, path);

    if (fd == -ENOENT)
        fd = make_last(root_fd, path, kind, is_plain);
    if (fd == -ENOENT || fd == -ELOOP) {
        struct walk walk = { .root_fd = root_fd, .is_plain = is_plain };
        if (strlen(path) >= sizeof(walk.path))
            return fail_target(err, -ENAMETOOLONG, path);
        memcpy(walk.path, path, strlen(path) + 1);
        fd = make_missing(&walk, kind);
    }
    return fd < 0 ? fail_target(err, fd, path) : fd;
}

int target_make_parent(int root_fd, const char *path, const char **name, struct error *err)
{
    char parent[PATH_MAX];
    const char *last = path_base(path);
    size_t length = (size_t)(last - path);

    if (length >= sizeof(parent) || *last == '\0')
        return fail_target(err, -EINVAL, path);
    memcpy(parent, path, length);
    parent[length] = '\0';
    *name = last;
    return target_make(root_fd, parent, TARGET_DIRECTORY, true, err);
}

int target_attach(int mount_fd, int target_fd, const char *path, struct error *err)
{
    int rc = sys_move_mount(mount_fd, "", target_fd, "",
                            MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);

    /* Engines explain this to their users by these words. */
    if (rc == -EINVAL && is_directory(mount_fd) != is_directory(target_fd))
        return fail(err, ERR_INVALID, "cannot mount a %s on the %s '%s': not a directory",
                    is_directory(mount_fd) ? "directory" : "file",
                    is_directory(target_fd) ? "directory" : "file", path);
    return rc < 0 ? fail_sys(err, rc, "cannot mount on '%s'", path) : 0;
}

static bool is_directory(int fd)
{
    struct stat st;

    return sys_fstatat(fd, "", &st, AT_EMPTY_PATH) >= 0 && S_ISDIR(st.st_mode);
}

/* What is mostly missing is the last component.  -ENOENT, or -ELOOP at a link: needs the walk. */
static int make_last(int root_fd, const char *path, enum target_kind kind, bool is_plain)
{
    char parent[PATH_MAX];
    const char *name = path_base(path);
    size_t length = (size_t)(name - path);

    if (length >= sizeof(parent) || *name == '\0' || strcmp(name, "..") == 0)
        return -ENOENT;
    memcpy(parent, path, length);
    parent[length] = '\0';
    cleanup_fd_later int parent_fd =
        is_plain ? target_find_plain(root_fd, parent) : target_find(root_fd, parent);
    return parent_fd < 0 ? parent_fd : make_component(parent_fd, name, kind == TARGET_FILE);
}

/*
 * Opens the longest part that exists, then makes one component after the other below it.  A
 * dangling link among them is replaced in the path by what it points to, and the walk begins again
 * at the root: the link's text is the image's, so it is trusted with nothing.
 */
static int make_missing(struct walk *walk, enum target_kind kind)
{
    cleanup_fd int current = sys_openat(walk->root_fd, ".", O_PATH | O_DIRECTORY, 0);
    char *path = walk->path;
    size_t start = strspn(path, "/");

    while (current >= 0 && path[start] != '\0') {
        size_t end = start + strcspn(path + start, "/");
        bool is_last = path[end + strspn(path + end, "/")] == '\0';
        char saved = path[end];
        path[end] = '\0';
        int next = find_or_make(walk, current, path + start, is_last && kind == TARGET_FILE);
        if (next == -ELOOP && !walk->is_plain) {
            next = follow_link(walk, current, path + start, start, is_last ? 0 : end + 1);
            if (next < 0)
                return next;
            return make_missing(walk, kind);
        }
        path[end] = saved;
        sys_close_fd(&current);
        current = next;
        start = end + strspn(path + end, "/");
    }
    return move_fd(&current);
}

/* walk->path ends with the component for now. */
static int find_or_make(const struct walk *walk, int parent_fd, const char *name, bool is_file)
{
    int fd = walk->is_plain ? target_find_plain(walk->root_fd, walk->path)
                            : target_find(walk->root_fd, walk->path);

    return fd == -ENOENT ? make_component(parent_fd, name, is_file) : fd;
}

/* -ELOOP when a link (necessarily a dangling one) has the name. */
static int make_component(int parent_fd, const char *name, bool is_file)
{
    int rc = 0;

    if (strcmp(name, "..") == 0)
        return -EINVAL;
    if (is_file) {
        cleanup_fd int made =
            sys_openat(parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
        rc = made;
    } else {
        rc = sys_mkdirat(parent_fd, name, 0755);
    }
    if (rc < 0 && rc != -EEXIST)
        return rc;
    return sys_openat2(parent_fd, name, O_PATH | (is_file ? 0 : O_DIRECTORY), 0,
                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* Rewrites walk->path: [start, …) is the link's name, 'rest' where what follows it begins, or 0. */
static int follow_link(struct walk *walk, int parent_fd, const char *name, size_t start,
                       size_t rest)
{
    char link[PATH_MAX];
    char joined[PATH_MAX];
    ssize_t length = readlinkat(parent_fd, name, link, sizeof(link) - 1);

    if (length < 0)
        return -errno;
    if (walk->links++ >= LINKS_MAX)
        return -ELOOP;
    link[length] = '\0';
    int size = snprintf(joined, sizeof(joined), "%.*s%s%s%s", link[0] == '/' ? 0 : (int)start,
                        walk->path, link, rest > 0 ? "/" : "", rest > 0 ? walk->path + rest : "");
    if (size < 0 || (size_t)size >= sizeof(joined))
        return -ENAMETOOLONG;
    memcpy(walk->path, joined, (size_t)size + 1);
    return 0;
}

static int fail_target(struct error *err, int rc, const char *path)
{
    if (rc == -ELOOP)
        return fail(err, ERR_INVALID, "cannot use '%s' as a mount point: a symbolic link is in it",
                    path);
    return fail_sys(err, rc, "cannot make mount point '%s'", path);
}
