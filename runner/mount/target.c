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

/* The directory that the last target was made in.  A process of the runner has one thread. */
static struct {
    int root_fd;
    int fd; /* -1: none */
    char path[PATH_MAX];
} last = { -1, -1, "" };

static int make_in_last_parent(int root_fd, const char *path, enum target_kind kind, bool is_plain);
static bool get_parent(const char *path, char parent[PATH_MAX]);
static int make_last(int root_fd, const char *path, enum target_kind kind, bool is_plain);
static int make_missing(struct walk *walk, enum target_kind kind);
static int find_or_make(const struct walk *walk, int parent_fd, const char *name, bool is_file);
static int make_component(int parent_fd, const char *name, bool is_file);
static int open_made(int parent_fd, const char *name, int flags);
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
    bool ignored;

    target_forget();
    int fd = target_make_new(root_fd, path, kind, is_plain, &ignored, err);
    target_forget();
    return fd;
}

int target_make_new(int root_fd, const char *path, enum target_kind kind, bool is_plain,
                    bool *is_new, struct error *err)
{
    int fd = make_in_last_parent(root_fd, path, kind, is_plain);

    *is_new = fd >= 0;
    if (fd >= 0)
        return fd;
    fd = is_plain ? target_find_plain(root_fd, path) : target_find(root_fd, path);

    if (fd == -ENOENT) {
        fd = make_last(root_fd, path, kind, is_plain);
        *is_new = fd >= 0;
    }
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
    const char *base = path_base(path);
    size_t length = (size_t)(base - path);

    if (length >= sizeof(parent) || *base == '\0')
        return fail_target(err, -EINVAL, path);
    memcpy(parent, path, length);
    parent[length] = '\0';
    *name = base;
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

void target_forget(void)
{
    descriptor_close_later(&last.fd);
}

/*
 * Mount points are mostly made side by side: /dev/pts, /dev/shm, /dev/mqueue.  Negative when it is
 * another directory, or something is there already.
 */
static int make_in_last_parent(int root_fd, const char *path, enum target_kind kind, bool is_plain)
{
    char parent[PATH_MAX];

    if (last.fd < 0 || last.root_fd != root_fd || is_plain || kind != TARGET_DIRECTORY ||
        !get_parent(path, parent) || strcmp(parent, last.path) != 0)
        return -ENOENT;
    const char *name = path_base(path);
    int rc = sys_mkdirat(last.fd, name, 0755);
    return rc < 0 ? rc : open_made(last.fd, name, O_DIRECTORY);
}

/* False where the last component is none that could be made. */
static bool get_parent(const char *path, char parent[PATH_MAX])
{
    const char *name = path_base(path);
    size_t length = (size_t)(name - path);

    if (length >= PATH_MAX || *name == '\0' || strcmp(name, "..") == 0)
        return false;
    memcpy(parent, path, length);
    parent[length] = '\0';
    return true;
}

/* What is mostly missing is the last component.  -ENOENT, or -ELOOP at a link: needs the walk. */
static int make_last(int root_fd, const char *path, enum target_kind kind, bool is_plain)
{
    char parent[PATH_MAX];

    if (!get_parent(path, parent))
        return -ENOENT;
    int parent_fd = is_plain ? target_find_plain(root_fd, parent) : target_find(root_fd, parent);
    if (parent_fd < 0)
        return parent_fd;
    int fd = make_component(parent_fd, path_base(path), kind == TARGET_FILE);
    descriptor_close_later(&last.fd);
    last.root_fd = root_fd;
    last.fd = parent_fd; /* in place of closing it */
    memcpy(last.path, parent, strlen(parent) + 1);
    return fd;
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
    return open_made(parent_fd, name, is_file ? 0 : O_DIRECTORY);
}

static int open_made(int parent_fd, const char *name, int flags)
{
    return sys_openat2(parent_fd, name, O_PATH | flags, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
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
