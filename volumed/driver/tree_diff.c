/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk of two trees at once.  As in base/tree.c a level remembers names and identities, and the
 * way up is "..", checked; here each level has two sides.  Below a directory that one tree alone
 * has, the other side stays where it was, and its descriptor is parked.  Regular files that both
 * have are compared in batches (tree_diff_batch.h), where no device can be opened by mistake.
 */
#include "driver/tree_diff.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/sys.h"
#include "driver/tree_diff_batch.h"

#define READ_SIZE 8192

enum side {
    FROM,
    TO,
    SIDES
};

struct names {
    struct buf text;   /* each with its type (d_type) before it and a NUL behind */
    const char **list; /* sorted */
    size_t count;
    size_t next;
};

struct level {
    struct names names[SIDES];
    struct stat st[SIDES]; /* of the directory, where the side is there */
    size_t path_size;      /* of the path of the directory */
};

struct walk {
    const struct tree_diff_spec *spec;
    bool is_pruned;  /* at the top, entries that are the same inode are left alone */
    bool is_batched; /* files are opened as they are found */
    struct diff_batch batch;
    struct level *levels;
    size_t depth;
    size_t capacity;
    int fd[SIDES];
    size_t fd_depth[SIDES]; /* the level whose directory it is */
    struct buf path;
};

static int hold(int fd);
static int run(struct walk *walk, const char *path, struct error *err);
static int open_top(struct walk *walk, struct error *err);
static int step(struct walk *walk, struct error *err);
static void walk_done(struct walk *walk);
static int push(struct walk *walk, const int fds[SIDES], struct error *err);
static void pop(struct walk *walk);
static int read_names(int fd, struct names *names, struct error *err);
static int read_entries(int fd, struct buf *text);
static void keep_entry(struct buf *text, const struct dirent64 *entry);
static int by_text(const void *left, const void *right);
static const char *next_name(struct level *level, bool has[SIDES]);
static bool are_files(const struct level *level, const bool has[SIDES]);
static int settle(struct walk *walk, struct error *err);
static int handle_late(struct walk *walk, const char *name, struct error *err);
static int handle(struct walk *walk, const char *name, bool has[SIDES], struct error *err);
static int handle_both(struct walk *walk, const char *name, struct stat st[SIDES],
                       struct error *err);
static int handle_one(struct walk *walk, const char *name, enum side side, const struct stat *st,
                      struct error *err);
static int descend(struct walk *walk, const char *name, const bool has[SIDES], struct error *err);
static int open_side(const struct walk *walk, const char *name, enum side side);
static int ascend(struct walk *walk, struct error *err);
static int ascend_side(struct walk *walk, enum side side, struct error *err);
static void path_push(struct walk *walk, const char *name);
static void path_cut(struct walk *walk, size_t size);
static bool is_here(const struct walk *walk, enum side side);

int tree_diff(const struct tree_diff_spec *spec, struct error *err)
{
    cleanup_fd int from_fd = hold(spec->from_fd);
    cleanup_fd int to_fd = hold(spec->to_fd);
    struct tree_diff_spec held = *spec;
    CLEANUP(walk_done) struct walk walk = { .spec = &held, .fd = { -1, -1 } };
    struct tree_pair pair = { .name = "", .path = "" };

    diff_batch_init(&walk.batch, &held);
    walk.is_batched = from_fd >= 0 && to_fd >= 0;
    if (walk.is_batched) {
        held.from_fd = from_fd;
        held.to_fd = to_fd;
    }
    pair.from_dirfd = held.from_fd;
    pair.to_dirfd = held.to_fd;
    int rc = sys_fstatat(held.from_fd, "", &pair.from, AT_EMPTY_PATH);
    if (rc >= 0)
        rc = sys_fstatat(held.to_fd, "", &pair.to, AT_EMPTY_PATH);
    if (rc < 0)
        return fail_sys(err, rc, "cannot look at a tree");
    return tree_diff_pair(&held, &pair, err) < 0 ? -1 : run(&walk, "", err);
}

/*
 * The tree as a mount of its own, without devices, and in which reading changes no time.  Below 0
 * where that cannot be: older kernels have no copies of what is mounted nowhere.
 */
static int hold(int fd)
{
    struct mount_attr attr = { .attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME,
                               .attr_clr = MOUNT_ATTR__ATIME };
    cleanup_fd int tree =
        sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    int rc = tree < 0 ? tree : sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr);

    return rc < 0 ? rc : sys_openat(tree, ".", O_RDONLY | O_DIRECTORY, 0);
}

int tree_diff_directory(const struct tree_diff_spec *spec, const char *path, struct error *err)
{
    CLEANUP(walk_done) struct walk walk = { .spec = spec, .fd = { -1, -1 }, .is_pruned = true };

    diff_batch_init(&walk.batch, spec);
    return run(&walk, path, err);
}

static int run(struct walk *walk, const char *path, struct error *err)
{
    int rc = 1;

    buf_text(&walk->path, path);
    if (open_top(walk, err) < 0)
        return -1;
    while (rc > 0)
        rc = step(walk, err);
    return rc;
}

static int open_top(struct walk *walk, struct error *err)
{
    const int dirs[SIDES] = { walk->spec->from_fd, walk->spec->to_fd };
    int fds[SIDES] = { -1, -1 };

    for (int side = FROM; side < SIDES; side++) {
        fds[side] = sys_openat(dirs[side], ".", O_RDONLY | O_DIRECTORY, 0);
        if (fds[side] < 0) {
            int rc = fds[side];
            if (side == TO)
                sys_close_fd(&fds[FROM]);
            return fail_sys(err, rc, "cannot read a directory");
        }
    }
    return push(walk, fds, err);
}

/* One name, or the way up; 0 at the end. */
static int step(struct walk *walk, struct error *err)
{
    struct level *level = &walk->levels[walk->depth - 1];
    size_t path_size = level->path_size;
    bool has[SIDES];
    const char *name = next_name(level, has);
    bool is_file = name != NULL && walk->is_batched && are_files(level, has);

    if (is_file && !diff_batch_add(&walk->batch, name))
        return 1;
    if (settle(walk, err) < 0)
        return -1;
    if (is_file)
        return 1;
    path_cut(walk, path_size);
    if (name == NULL && walk->depth == 1)
        return 0;
    int rc = name != NULL ? handle(walk, name, has, err) : ascend(walk, err);
    return rc < 0 ? -1 : 1;
}

static bool are_files(const struct level *level, const bool has[SIDES])
{
    for (int side = FROM; side < SIDES; side++)
        if (!has[side] || level->names[side].list[level->names[side].next - 1][-1] != DT_REG)
            return false;
    return true;
}

/* Compares the files that were gathered, and tells of them. */
static int settle(struct walk *walk, struct error *err)
{
    size_t path_size = walk->levels[walk->depth - 1].path_size;
    size_t count = walk->batch.count;
    int rc = 0;

    if (count == 0)
        return 0;
    diff_batch_run(&walk->batch, walk->fd);
    walk->batch.count = 0;
    for (size_t i = 0; i < count && rc >= 0; i++) {
        struct diff_result_of_file *file = &walk->batch.files[i];
        if (file->rc == 0)
            continue;
        path_cut(walk, path_size);
        path_push(walk, file->name);
        file->change.path = walk->path.data;
        rc = file->rc > 0 ? walk->spec->each(walk->spec->context, &file->change, err)
                          : handle_late(walk, file->name, err);
    }
    return rc;
}

/* What is no longer the file that it was a moment ago. */
static int handle_late(struct walk *walk, const char *name, struct error *err)
{
    struct stat st[SIDES];
    int rc[SIDES];

    for (int side = FROM; side < SIDES; side++) {
        rc[side] = sys_fstatat(walk->fd[side], name, &st[side], AT_SYMLINK_NOFOLLOW);
        if (rc[side] < 0 && rc[side] != -ENOENT)
            return fail_sys(err, rc[side], "cannot look at '%s'", walk->path.data);
        if (rc[side] == 0 && S_ISDIR(st[side].st_mode))
            return fail(err, ERR_BUSY, "'%s' was replaced while it was read", walk->path.data);
    }
    if (rc[FROM] == 0 && rc[TO] == 0 && (st[FROM].st_mode & S_IFMT) == (st[TO].st_mode & S_IFMT)) {
        const struct tree_pair pair = {
            walk->fd[FROM], walk->fd[TO], name, walk->path.data, st[FROM], st[TO], NULL,
        };
        return tree_diff_pair(walk->spec, &pair, err);
    }
    for (int side = FROM; side < SIDES; side++)
        if (rc[side] == 0 && handle_one(walk, name, (enum side)side, &st[side], err) < 0)
            return -1;
    return 0;
}

static void walk_done(struct walk *walk)
{
    diff_batch_done(&walk->batch);
    while (walk->depth > 0)
        pop(walk);
    free(walk->levels);
    for (int side = FROM; side < SIDES; side++)
        sys_close_fd(&walk->fd[side]);
    buf_done(&walk->path);
}

/* Takes over the descriptors that are there; a side without one keeps its present directory. */
static int push(struct walk *walk, const int fds[SIDES], struct error *err)
{
    if (walk->depth == walk->capacity) {
        walk->capacity = walk->capacity == 0 ? 16 : walk->capacity * 2;
        walk->levels = mem_grow(walk->levels, walk->capacity * sizeof(*walk->levels));
    }
    struct level *level = &walk->levels[walk->depth++];
    *level = (struct level){ .path_size = walk->path.size };
    for (int side = FROM; side < SIDES; side++) {
        if (fds[side] < 0)
            continue;
        sys_close_fd(&walk->fd[side]);
        walk->fd[side] = fds[side];
        walk->fd_depth[side] = walk->depth;
    }
    for (int side = FROM; side < SIDES; side++) {
        if (fds[side] < 0)
            continue;
        int rc = sys_fstatat(fds[side], "", &level->st[side], AT_EMPTY_PATH);
        if (rc < 0)
            return fail_sys(err, rc, "cannot read a directory");
        if (read_names(fds[side], &level->names[side], err) < 0)
            return -1;
    }
    return 0;
}

static void pop(struct walk *walk)
{
    struct level *level = &walk->levels[--walk->depth];

    for (int side = FROM; side < SIDES; side++) {
        buf_done(&level->names[side].text);
        free(level->names[side].list);
    }
}

static int read_names(int fd, struct names *names, struct error *err)
{
    int rc = read_entries(fd, &names->text);
    size_t count = 0;

    if (rc < 0)
        return fail_sys(err, rc, "cannot read a directory");
    for (size_t at = 1; at < names->text.size; at += strlen(names->text.data + at) + 2)
        count++;
    names->list = mem_grow(NULL, (count + 1) * sizeof(*names->list));
    for (size_t at = 1; at < names->text.size; at += strlen(names->text.data + at) + 2)
        names->list[names->count++] = names->text.data + at;
    qsort(names->list, names->count, sizeof(*names->list), by_text);
    return 0;
}

static int read_entries(int fd, struct buf *text)
{
    char block[READ_SIZE] __attribute__((aligned(8)));

    for (;;) {
        ssize_t got = getdents64(fd, block, sizeof(block));
        if (got <= 0)
            return got < 0 ? -errno : 0;
        for (ssize_t at = 0; at < got;) {
            const struct dirent64 *entry = (const void *)(block + at);
            keep_entry(text, entry);
            at += entry->d_reclen;
        }
    }
}

static void keep_entry(struct buf *text, const struct dirent64 *entry)
{
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return;
    buf_append(text, &entry->d_type, 1);
    buf_append(text, entry->d_name, strlen(entry->d_name) + 1);
}

static int by_text(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;

    return strcmp(*a, *b);
}

/* The smaller of both sides' next names, and which of them have it. */
static const char *next_name(struct level *level, bool has[SIDES])
{
    const char *names[SIDES] = { NULL, NULL };

    for (int side = FROM; side < SIDES; side++)
        if (level->names[side].next < level->names[side].count)
            names[side] = level->names[side].list[level->names[side].next];
    if (names[FROM] == NULL && names[TO] == NULL)
        return NULL;
    int order = names[FROM] == NULL ? 1 : names[TO] == NULL ? -1 : strcmp(names[FROM], names[TO]);
    has[FROM] = order <= 0;
    has[TO] = order >= 0;
    for (int side = FROM; side < SIDES; side++)
        level->names[side].next += has[side];
    return has[FROM] ? names[FROM] : names[TO];
}

static int handle(struct walk *walk, const char *name, bool has[SIDES], struct error *err)
{
    struct stat st[SIDES];

    path_push(walk, name);
    for (int side = FROM; side < SIDES; side++) {
        int rc = !has[side] ? 0 : sys_fstatat(walk->fd[side], name, &st[side], AT_SYMLINK_NOFOLLOW);
        if (rc < 0 && rc != -ENOENT)
            return fail_sys(err, rc, "cannot look at '%s'", walk->path.data);
        has[side] = has[side] && rc == 0;
    }
    if (has[FROM] && has[TO])
        return handle_both(walk, name, st, err);
    if (has[FROM])
        return handle_one(walk, name, FROM, &st[FROM], err);
    return has[TO] ? handle_one(walk, name, TO, &st[TO], err) : 0;
}

static int handle_both(struct walk *walk, const char *name, struct stat st[SIDES],
                       struct error *err)
{
    static const bool both[SIDES] = { true, true };
    bool is_dir = S_ISDIR(st[TO].st_mode);

    if (walk->is_pruned && walk->depth == 1 && st[FROM].st_ino == st[TO].st_ino)
        return 0;
    if ((st[FROM].st_mode & S_IFMT) != (st[TO].st_mode & S_IFMT)) {
        /* One thing went and another came; the second comes when the first is done. */
        walk->levels[walk->depth - 1].names[TO].next--;
        return handle_one(walk, name, FROM, &st[FROM], err);
    }
    const struct tree_pair pair = {
        walk->fd[FROM], walk->fd[TO], name, walk->path.data, st[FROM], st[TO], NULL,
    };
    if (tree_diff_pair(walk->spec, &pair, err) < 0)
        return -1;
    return is_dir ? descend(walk, name, both, err) : 0;
}

static int handle_one(struct walk *walk, const char *name, enum side side, const struct stat *st,
                      struct error *err)
{
    struct tree_change change = {
        .path = walk->path.data,
        .kind = side == FROM ? TREE_REMOVED : TREE_ADDED,
        .bytes = S_ISREG(st->st_mode) ? st->st_size : 0,
    };

    if (side == FROM)
        change.from = *st;
    else
        change.to = *st;
    if (walk->spec->each(walk->spec->context, &change, err) < 0)
        return -1;
    const bool has[SIDES] = { side == FROM, side == TO };
    return S_ISDIR(st->st_mode) ? descend(walk, name, has, err) : 0;
}

static int descend(struct walk *walk, const char *name, const bool has[SIDES], struct error *err)
{
    int fds[SIDES] = { -1, -1 };
    int rc = 0;

    for (int side = FROM; side < SIDES && rc >= 0; side++)
        if (has[side]) {
            fds[side] = open_side(walk, name, (enum side)side);
            rc = fds[side] == -ENOENT || fds[side] == -EXDEV ? 0 : fds[side];
        }
    if (rc >= 0 && (fds[FROM] >= 0 || fds[TO] >= 0))
        return push(walk, fds, err);
    for (int side = FROM; side < SIDES; side++)
        sys_close_fd(&fds[side]);
    if (rc == -ENOTDIR || rc == -ELOOP)
        return fail(err, ERR_BUSY, "'%s' was replaced while it was read", walk->path.data);
    return rc < 0 ? fail_sys(err, rc, "cannot open directory '%s'", walk->path.data) : 0;
}

/* -EXDEV: a mount point, or a subvolume of the container's own; what is in it is another tree. */
static int open_side(const struct walk *walk, const char *name, enum side side)
{
    return sys_openat2(walk->fd[side], name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

static int ascend(struct walk *walk, struct error *err)
{
    for (int side = FROM; side < SIDES; side++)
        if (is_here(walk, (enum side)side) && ascend_side(walk, (enum side)side, err) < 0)
            return -1;
    pop(walk);
    return 0;
}

static int ascend_side(struct walk *walk, enum side side, struct error *err)
{
    const struct stat *parent = &walk->levels[walk->depth - 2].st[side];
    struct stat st;
    cleanup_fd int up = sys_openat(walk->fd[side], "..", O_RDONLY | O_DIRECTORY, 0);
    int rc = up < 0 ? up : sys_fstatat(up, "", &st, AT_EMPTY_PATH);

    if (rc < 0)
        return fail_sys(err, rc, "cannot go up from '%s'", walk->path.data);
    if (st.st_dev != parent->st_dev || st.st_ino != parent->st_ino)
        return fail(err, ERR_BUSY, "'%s' was moved while it was read", walk->path.data);
    sys_close_fd(&walk->fd[side]);
    walk->fd[side] = move_fd(&up);
    walk->fd_depth[side]--;
    return 0;
}

static void path_push(struct walk *walk, const char *name)
{
    if (walk->path.size > 0)
        buf_text(&walk->path, "/");
    buf_text(&walk->path, name);
}

static void path_cut(struct walk *walk, size_t size)
{
    walk->path.size = size;
    if (walk->path.data != NULL)
        walk->path.data[size] = '\0';
}

static bool is_here(const struct walk *walk, enum side side)
{
    return walk->fd[side] >= 0 && walk->fd_depth[side] == walk->depth;
}
