/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files are opened without touching them first (O_PATH), and for reading only when they turn out to
 * be regular: a fifo or a device of a stranger's making would block, or worse.
 */
#include "core/file/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/path.h"
#include "base/sys.h"
#include "core/container/stream.h"
#include "core/file/file_tree.h"
#include "core/service.h"

#define CHUNK_BYTES ((size_t)64 * 1024)

static int open_place(const struct file_tree *tree, const char *path, struct stat *st,
                      struct error *err);
static int reopen(int fd, int flags);
static int list_directory(int fd, file_entry_fn each, void *context, struct error *err);
static int give_entry(int dirfd, const char *name, const char *shown, file_entry_fn each,
                      void *context, struct error *err);
static int pass_bytes(int fd, const struct byte_sink *sink, struct error *err);
static int fail_path(const struct file_tree *tree, const char *path, int rc, struct error *err);

const char *file_kind(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return "file";
    case S_IFDIR: return "directory";
    case S_IFLNK: return "link";
    case S_IFIFO: return "fifo";
    case S_IFSOCK: return "socket";
    default: return "device";
    }
}

int file_list(struct task *task, const struct file_place *place, file_entry_fn each, void *context,
              struct error *err)
{
    cleanup_file_tree struct file_tree tree = FILE_TREE_NONE;
    const char *path = place->path != NULL ? place->path : "/";
    struct stat st = { 0 };

    if (file_tree_open(task, place->volume, place->snapshot, &tree, err) < 0)
        return -1;
    cleanup_fd int fd = open_place(&tree, path, &st, err);
    if (fd < 0)
        return -1;
    if (!S_ISDIR(st.st_mode))
        return give_entry(fd, "", path_base(path_clean(task->mem, path)), each, context, err);
    cleanup_fd int directory = reopen(fd, O_DIRECTORY);
    if (directory < 0)
        return fail_path(&tree, path, directory, err);
    return list_directory(directory, each, context, err);
}

int file_read(struct task *task, const struct file_place *place, const struct byte_sink *sink,
              struct error *err)
{
    cleanup_file_tree struct file_tree tree = FILE_TREE_NONE;
    const char *path = place->path != NULL ? place->path : "/";
    struct stat st = { 0 };

    if (file_tree_open(task, place->volume, place->snapshot, &tree, err) < 0)
        return -1;
    cleanup_fd int fd = open_place(&tree, path, &st, err);
    if (fd < 0)
        return -1;
    if (!S_ISREG(st.st_mode))
        return fail(err, ERR_INVALID, "'%s' in '%s' is a %s, not a file with contents", path,
                    tree.name, file_kind(st.st_mode));
    cleanup_fd int file = reopen(fd, O_NONBLOCK);
    if (file < 0)
        return fail_path(&tree, path, file, err);
    return pass_bytes(file, sink, err);
}

int file_archive(struct task *task, const struct file_place *place, const struct byte_sink *sink,
                 struct error *err)
{
    cleanup_file_tree struct file_tree tree = FILE_TREE_NONE;
    cleanup_child struct child child = CHILD_NONE;
    cleanup_buf struct buf report = { 0 };
    const char *path = place->path != NULL ? place->path : "/";
    bool is_root = strcmp(path_clean(task->mem, path), "/") == 0;

    if (file_tree_open(task, place->volume, place->snapshot, &tree, err) < 0)
        return -1;
    struct child_spec spec = {
        .program = task->service->confined_path,
        .verb = "get-tree",
        .argument = is_root ? "/." : path,
        .input = CHILD_NOTHING,
        .output = CHILD_PIPE,
        .fds = &tree.fd,
        .fd_count = 1,
    };
    if (child_start(&child, &spec, err) < 0 || stream_drain(&child, sink, err) < 0)
        return -1;
    if (child_wait(&child, &report, err) == 0)
        return 0;
    return err->code == ERR_NOT_FOUND ? fail_path(&tree, path, -ENOENT, err) : -1;
}

/* O_PATH: looked up, not opened.  The last link is followed too, inside the tree. */
static int open_place(const struct file_tree *tree, const char *path, struct stat *st,
                      struct error *err)
{
    cleanup_fd int fd = path_open_in_root(tree->fd, path, O_PATH);

    /* A link to nowhere is still something to look at. */
    if (fd == -ENOENT || fd == -ELOOP)
        fd = path_open_in_root(tree->fd, path, O_PATH | O_NOFOLLOW);
    int rc = fd < 0 ? fd : sys_fstatat(fd, "", st, AT_EMPTY_PATH);
    return rc < 0 ? fail_path(tree, path, rc, err) : move_fd(&fd);
}

/* What the O_PATH descriptor stands for, to read from: no look-up by name comes in between. */
static int reopen(int fd, int flags)
{
    char path[32];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); /* fits */
    return sys_openat(AT_FDCWD, path, O_RDONLY | O_NOCTTY | flags, 0);
}

static int list_directory(int fd, file_entry_fn each, void *context, struct error *err)
{
    cleanup_dir DIR *dir = NULL;
    int rc = dir_open(fd, ".", &dir);

    if (rc < 0)
        return fail_sys(err, rc, "cannot read a directory");
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;)
        if (give_entry(fd, entry->d_name, entry->d_name, each, context, err) < 0)
            return -1;
    return 0;
}

static int give_entry(int dirfd, const char *name, const char *shown, file_entry_fn each,
                      void *context, struct error *err)
{
    char target[PATH_MAX] = "";
    struct file_entry entry = { .name = shown, .link_target = target };
    int rc = sys_fstatat(dirfd, name, &entry.st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);

    if (rc == -ENOENT) /* it went while we looked */
        return 0;
    if (rc < 0)
        return fail_sys(err, rc, "cannot look at '%s'", shown);
    if (S_ISLNK(entry.st.st_mode)) {
        ssize_t length = readlinkat(dirfd, name, target, sizeof(target) - 1);
        target[length > 0 ? length : 0] = '\0';
    }
    return each(context, &entry, err);
}

static int pass_bytes(int fd, const struct byte_sink *sink, struct error *err)
{
    cleanup_buf struct buf chunk = { 0 };
    char *data = buf_reserve(&chunk, CHUNK_BYTES);
    ssize_t got;

    while ((got = sys_read(fd, data, CHUNK_BYTES)) > 0)
        if (sink->write(sink->context, data, (size_t)got, err) < 0)
            return -1;
    return got < 0 ? fail_sys(err, (int)got, "cannot read the file") : 0;
}

static int fail_path(const struct file_tree *tree, const char *path, int rc, struct error *err)
{
    if (rc == -ENOENT || rc == -ENOTDIR)
        return fail(err, ERR_NOT_FOUND, "there is no '%s' in '%s'", path, tree->name);
    return fail_sys(err, rc, "cannot open '%s' in '%s'", path, tree->name);
}
