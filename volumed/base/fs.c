/* SPDX-License-Identifier: Apache-2.0 */
/* Whole-file and whole-tree work.  Symbolic links are never followed. */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/tree.h"

/* linux/magic.h lacks these. */
#define CIFS_MAGIC 0xFF534D42
#define SMB2_MAGIC 0xFE534D42
#define CEPH_MAGIC 0x00C36400
#define FUSE_MAGIC 0x65735546

static int write_new(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
                     bool is_durable);
static int create_new(int dirfd, const char *name, mode_t mode);
static int read_open_file(struct arena *mem, int fd, size_t max, char **data, size_t *size);
static int remove_below(int dirfd, const char *path, struct error *err);
static int open_parent(int dirfd, const char *path, const char *name);
static int remove_entry(void *context, const struct tree_entry *entry, struct error *err);

static const struct tree_visitor remover = { .leave = remove_entry, .visit = remove_entry };

int fs_write_file(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
                  struct error *err)
{
    int rc = write_new(dirfd, name, data, size, mode, true);

    if (rc < 0)
        return fail_sys(err, rc, "cannot write '%s'", name);
    return fs_sync_dir(dirfd, err);
}

int fs_write_volatile(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
                      struct error *err)
{
    int rc = write_new(dirfd, name, data, size, mode, false);

    return rc < 0 ? fail_sys(err, rc, "cannot write '%s'", name) : 0;
}

/* NOLINTNEXTLINE(readability-function-size): one parameter over, and each caller has them all */
int fs_read_file(struct arena *mem, int dirfd, const char *name, size_t max, char **data,
                 size_t *size, struct error *err)
{
    cleanup_fd int fd = sys_openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);

    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%s'", name);
    int rc = read_open_file(mem, fd, max, data, size);
    if (rc == -EFBIG)
        return fail(err, ERR_INVALID, "'%s' is larger than %zu bytes", name, max);
    return rc < 0 ? fail_sys(err, rc, "cannot read '%s'", name) : 0;
}

int fs_remove_tree(int dirfd, const char *name, struct error *err)
{
    int rc = sys_unlinkat(dirfd, name, 0);

    if (rc == -EISDIR || rc == -EPERM) {
        if (remove_below(dirfd, name, err) < 0)
            return -1;
    } else if (rc < 0 && rc != -ENOENT) {
        return fail_sys(err, rc, "cannot remove '%s'", name);
    }
    return fs_sync_dir(dirfd, err);
}

int fs_empty_dir(int dirfd, struct error *err)
{
    cleanup_fd int fd = sys_openat(dirfd, ".", O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0)
        return fail_sys(err, fd, "cannot open a directory");
    return tree_walk(fd, &remover, NULL, err);
}

int fs_make_dir(int dirfd, const char *name, mode_t mode, struct error *err)
{
    int rc = sys_mkdirat(dirfd, name, mode);

    if (rc < 0 && rc != -EEXIST)
        return fail_sys(err, rc, "cannot make directory '%s'", name);
    int fd = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return fd < 0 ? fail_sys(err, fd, "cannot open directory '%s'", name) : fd;
}

int fs_make_path(const char *path, mode_t mode, struct error *err)
{
    char prefix[PATH_MAX];
    size_t length = strlen(path);

    if (length >= sizeof(prefix))
        return fail(err, ERR_INVALID, "path '%.64s…' is too long", path);
    for (size_t end = 1; end <= length; end++) {
        if (path[end] != '/' && path[end] != '\0')
            continue;
        memcpy(prefix, path, end);
        prefix[end] = '\0';
        int rc = sys_mkdirat(AT_FDCWD, prefix, mode);
        if (rc < 0 && rc != -EEXIST)
            return fail_sys(err, rc, "cannot make directory '%s'", prefix);
    }
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    return fd < 0 ? fail_sys(err, fd, "cannot open directory '%s'", path) : fd;
}

int fs_sync_dir(int dirfd, struct error *err)
{
    cleanup_fd int fd = sys_openat(dirfd, ".", O_RDONLY | O_DIRECTORY, 0); /* O_PATH cannot sync */
    int rc = fd < 0 ? fd : sys_fsync(fd);

    return rc < 0 ? fail_sys(err, rc, "cannot sync a directory") : 0;
}

int64_t fs_magic(int fd)
{
    struct statfs st;

    return fstatfs(fd, &st) < 0 ? -errno : (int64_t)(unsigned int)st.f_type;
}

bool fs_is_network(int64_t magic)
{
    static const int64_t network[] = {
        NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_MAGIC,      SMB2_MAGIC,       CEPH_MAGIC,
        FUSE_MAGIC,      V9FS_MAGIC,      AFS_SUPER_MAGIC, CODA_SUPER_MAGIC,
    };

    for (size_t i = 0; i < ARRAY_SIZE(network); i++)
        if (network[i] == magic)
            return true;
    return false;
}

int fs_dir_is_empty(int dirfd, bool *is_empty, struct error *err)
{
    cleanup_dir DIR *dir = NULL;
    int rc = dir_open(dirfd, ".", &dir);

    if (rc < 0)
        return fail_sys(err, rc, "cannot read a directory");
    *is_empty = dir_next(dir) == NULL;
    return 0;
}

static int write_new(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
                     bool is_durable)
{
    char temporary[NAME_MAX + 1];

    /* The thread id keeps two writers of one name apart; the rename decides who is last. */
    (void)snprintf(temporary, sizeof(temporary), ".%.200s.%d.tmp", name, (int)gettid());
    cleanup_fd int fd = create_new(dirfd, temporary, mode);
    if (fd < 0)
        return fd;
    int rc = sys_write_all(fd, data, size);
    if (rc >= 0)
        rc = sys_fchmod(fd, mode); /* whatever the umask */
    if (rc >= 0 && is_durable)
        rc = sys_fsync(fd);
    if (rc >= 0)
        rc = sys_renameat2(dirfd, temporary, dirfd, name, 0);
    if (rc < 0)
        (void)unlinkat(dirfd, temporary, 0); /* the first error is the one to tell */
    return rc;
}

/* One that exists was left by a crash. */
static int create_new(int dirfd, const char *name, mode_t mode)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    int fd = sys_openat(dirfd, name, flags, mode);

    if (fd != -EEXIST)
        return fd;
    (void)unlinkat(dirfd, name, 0);
    return sys_openat(dirfd, name, flags, mode);
}

static int read_open_file(struct arena *mem, int fd, size_t max, char **data, size_t *size)
{
    size_t capacity = 4096;
    size_t used = 0;
    char *text = arena_alloc(mem, capacity + 1);

    for (;;) {
        ssize_t got = sys_read_all(fd, text + used, capacity - used);
        if (got < 0)
            return (int)got;
        used += (size_t)got;
        if (used > max)
            return -EFBIG;
        if (used < capacity)
            break;
        char *larger = arena_alloc(mem, capacity * 4 + 1);
        memcpy(larger, text, used);
        text = larger;
        capacity *= 4;
    }
    text[used] = '\0';
    *data = text;
    if (size != NULL)
        *size = used;
    return 0;
}

/* The way to the parent may cross mounts; the step from it to what is removed may not. */
static int remove_below(int dirfd, const char *path, struct error *err)
{
    const char *name = path_base(path);
    cleanup_fd int parent_fd = open_parent(dirfd, path, name);

    if (parent_fd == -ENOENT)
        return 0;
    cleanup_fd int fd = parent_fd < 0
                            ? parent_fd
                            : sys_openat2(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                                          RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
    if (fd == -ENOENT)
        return 0;
    if (fd == -EXDEV)
        return fail(err, ERR_BUSY, "cannot remove '%s': something is mounted there", path);
    if (fd < 0)
        return fail_sys(err, fd, "cannot remove '%s'", path);
    if (tree_walk(fd, &remover, NULL, err) < 0)
        return -1;
    int rc = sys_unlinkat(parent_fd, name, AT_REMOVEDIR);
    return rc < 0 && rc != -ENOENT ? fail_sys(err, rc, "cannot remove '%s'", path) : 0;
}

static int open_parent(int dirfd, const char *path, const char *name)
{
    char parent[PATH_MAX];
    size_t length = (size_t)(name - path);

    if (length >= sizeof(parent))
        return -ENAMETOOLONG;
    memcpy(parent, path, length);
    parent[length] = '\0';
    return sys_openat(dirfd, length == 0 ? "." : parent, O_PATH | O_DIRECTORY, 0);
}

/* A mount point answers EBUSY: what is mounted is not ours to remove. */
static int remove_entry(void *context, const struct tree_entry *entry, struct error *err)
{
    int rc = sys_unlinkat(entry->dirfd, entry->name, S_ISDIR(entry->st.st_mode) ? AT_REMOVEDIR : 0);

    (void)context;
    return rc < 0 && rc != -ENOENT ? fail_sys(err, rc, "cannot remove '%s'", entry->name) : 0;
}
