/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk.  A level remembers the names of its directory and the directory's identity, not a
 * descriptor: the way up is "..", checked against that identity.  So neither depth nor width costs
 * descriptors, and a tree moved under us is noticed instead of followed.
 */
#include "base/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/sys.h"

#define READ_SIZE 8192

struct level {
    struct buf names; /* each with its NUL */
    size_t next;      /* where the next name starts */
    size_t current;   /* where the one being handled starts */
    struct stat st;   /* of the directory */
};

struct walk {
    const struct tree_visitor *visitor;
    void *context;
    struct level *levels;
    size_t depth;
    size_t capacity;
    int fd; /* of the deepest level */
};

static void walk_done(struct walk *walk);
static int push(struct walk *walk, int fd, const struct stat *st, struct error *err);
static void pop(struct walk *walk);
static int read_names(int fd, struct buf *names);
static const char *next_name(struct level *level);
static int handle(struct walk *walk, const char *name, struct error *err);
static int descend(struct walk *walk, struct tree_entry *entry, struct error *err);
static int ascend(struct walk *walk, struct error *err);
static int call(struct walk *walk, int (*member)(void *, const struct tree_entry *, struct error *),
                const struct tree_entry *entry, struct error *err);

int tree_walk(int fd, const struct tree_visitor *visitor, void *context, struct error *err)
{
    CLEANUP(walk_done) struct walk walk = { .visitor = visitor, .context = context, .fd = -1 };
    struct stat st;
    cleanup_fd int top = sys_openat(fd, ".", O_RDONLY | O_DIRECTORY, 0);
    int rc = top < 0 ? top : sys_fstatat(top, "", &st, AT_EMPTY_PATH);

    if (rc < 0)
        return fail_sys(err, rc, "cannot read a directory");
    if (push(&walk, move_fd(&top), &st, err) < 0)
        return -1;
    for (;;) {
        const char *name = next_name(&walk.levels[walk.depth - 1]);
        if (name == NULL && walk.depth == 1)
            return 0;
        rc = name != NULL ? handle(&walk, name, err) : ascend(&walk, err);
        if (rc < 0)
            return -1;
    }
}

static void walk_done(struct walk *walk)
{
    while (walk->depth > 0)
        pop(walk);
    free(walk->levels);
    sys_close_fd(&walk->fd);
}

/* Takes over 'fd', which becomes the walk's. */
static int push(struct walk *walk, int fd, const struct stat *st, struct error *err)
{
    sys_close_fd(&walk->fd);
    walk->fd = fd;
    if (walk->depth == walk->capacity) {
        walk->capacity = walk->capacity == 0 ? 16 : walk->capacity * 2;
        walk->levels = mem_grow(walk->levels, walk->capacity * sizeof(*walk->levels));
    }
    struct level *level = &walk->levels[walk->depth++];
    *level = (struct level){ .st = *st };
    int rc = read_names(fd, &level->names);
    return rc < 0 ? fail_sys(err, rc, "cannot read a directory") : 0;
}

static void pop(struct walk *walk)
{
    buf_done(&walk->levels[--walk->depth].names);
}

static int read_names(int fd, struct buf *names)
{
    char block[READ_SIZE] __attribute__((aligned(8)));

    /* Who looks changes nothing; where it is not ours to say so, the time of access is. */
    (void)fcntl(fd, F_SETFL, O_NOATIME);
    for (;;) {
        ssize_t got = getdents64(fd, block, sizeof(block));
        if (got <= 0)
            return got < 0 ? -errno : 0;
        for (ssize_t at = 0; at < got;) {
            const struct dirent64 *entry = (const void *)(block + at);
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                buf_append(names, entry->d_name, strlen(entry->d_name) + 1);
            at += entry->d_reclen;
        }
    }
}

static const char *next_name(struct level *level)
{
    if (level->next >= level->names.size)
        return NULL;
    level->current = level->next;
    level->next += strlen(level->names.data + level->current) + 1;
    return level->names.data + level->current;
}

static int handle(struct walk *walk, const char *name, struct error *err)
{
    struct tree_entry entry = { .dirfd = walk->fd, .name = name, .fd = -1 };
    int rc = sys_fstatat(walk->fd, name, &entry.st, AT_SYMLINK_NOFOLLOW);

    if (rc == -ENOENT)
        return 0;
    if (rc < 0)
        return fail_sys(err, rc, "cannot look at '%s'", name);
    if (!S_ISDIR(entry.st.st_mode))
        return call(walk, walk->visitor->visit, &entry, err);
    return descend(walk, &entry, err);
}

static int descend(struct walk *walk, struct tree_entry *entry, struct error *err)
{
    cleanup_fd int fd = sys_openat2(walk->fd, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                                    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);

    if (fd == -ENOENT)
        return 0;
    if (fd == -EXDEV) { /* a mount point: the directory is ours, what is on it is not */
        if (call(walk, walk->visitor->enter, entry, err) < 0)
            return -1;
        return call(walk, walk->visitor->leave, entry, err);
    }
    int rc = fd < 0 ? fd : sys_fstatat(fd, "", &entry->st, AT_EMPTY_PATH);
    if (rc == -ENOTDIR || rc == -ELOOP)
        return fail(err, ERR_BUSY, "'%s' was replaced while it was read", entry->name);
    if (rc < 0)
        return fail_sys(err, rc, "cannot open directory '%s'", entry->name);
    entry->fd = fd;
    rc = call(walk, walk->visitor->enter, entry, err);
    if (rc > 0)
        return call(walk, walk->visitor->leave, entry, err);
    return rc < 0 ? -1 : push(walk, move_fd(&fd), &entry->st, err);
}

static int ascend(struct walk *walk, struct error *err)
{
    const struct level *parent = &walk->levels[walk->depth - 2];
    struct stat st;
    cleanup_fd int up = sys_openat(walk->fd, "..", O_RDONLY | O_DIRECTORY, 0);
    int rc = up < 0 ? up : sys_fstatat(up, "", &st, AT_EMPTY_PATH);
    struct tree_entry entry = {
        .dirfd = up,
        .name = parent->names.data + parent->current,
        .st = walk->levels[walk->depth - 1].st,
        .fd = walk->fd,
    };

    if (rc < 0)
        return fail_sys(err, rc, "cannot go up from '%s'", entry.name);
    if (st.st_dev != parent->st.st_dev || st.st_ino != parent->st.st_ino)
        return fail(err, ERR_BUSY, "'%s' was moved while it was read", entry.name);
    rc = call(walk, walk->visitor->leave, &entry, err);
    pop(walk);
    sys_close_fd(&walk->fd);
    walk->fd = move_fd(&up);
    return rc;
}

static int call(struct walk *walk, int (*member)(void *, const struct tree_entry *, struct error *),
                const struct tree_entry *entry, struct error *err)
{
    return member == NULL ? 0 : member(walk->context, entry, err);
}
