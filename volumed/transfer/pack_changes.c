/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two trees side by side, by name.  What stays is not mentioned; a directory is, after what is in
 * it, when anything below it was.
 *
 * Files with several names: each has the name that came first in either tree.  A file is patched
 * where its first name is the same in both; a further name that belonged to the same first name
 * before is there already; all others are made anew, which takes them from the file they belonged
 * to.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "transfer/link_names.h"
#include "transfer/mark.h"
#include "transfer/pack_entry.h"

#define DEPTH_MAX 512 /* what unpacking takes */

enum side {
    FROM,
    TO,
    SIDES
};

struct changes {
    struct packer packer;
    struct link_names links[SIDES];
    bool is_shared;
};

/* One name, in the directories of either side. */
struct pair {
    const char *name;
    int at_fd[SIDES];
    struct stat st[SIDES];
    bool is_kind_same; /* it is there on both sides, and of one kind */
};

static void changes_done(struct changes *changes);
static int walk(struct changes *changes, const int fds[SIDES], struct error *err);
static int walk_names(struct changes *changes, const int fds[SIDES], struct pack_names names[SIDES],
                      struct error *err);
static int remove_name(struct changes *changes, struct error *err);
static int visit(struct changes *changes, struct pair *pair, bool is_in_from, struct error *err);
static int visit_directory(struct changes *changes, const struct pair *pair, struct error *err);
static int end_directory(struct changes *changes, const struct pair *pair, const int fds[SIDES],
                         int64_t before, struct error *err);
static int visit_file(struct changes *changes, const struct pair *pair, struct error *err);
static int write_link(struct changes *changes, const struct pair *pair, const char *first,
                      struct error *err);
static int write_file(struct changes *changes, const struct pair *pair, struct error *err);
static int patch_file(struct changes *changes, const struct pair *pair, struct error *err);
static int visit_other(struct changes *changes, const struct pair *pair, struct error *err);
static int is_target_same(const struct pair *pair, bool *is_same, struct error *err);
static int open_side(const struct pair *pair, enum side side, int flags, struct error *err);
static bool is_stat_same(const struct stat *left, const struct stat *right);

int pack_changes(int from_fd, int to_fd, bool is_shared, int output_fd, struct error *err)
{
    static const struct pack_rules rules = { .is_exact = true };
    CLEANUP(changes_done) struct changes changes = { .is_shared = is_shared };
    const int fds[SIDES] = { from_fd, to_fd };
    struct pair root = { .name = ".", .at_fd = { from_fd, to_fd }, .is_kind_same = from_fd >= 0 };

    changes.packer.rules = &rules;
    buf_text(&changes.packer.path, "./");
    for (int side = from_fd >= 0 ? FROM : TO; side < SIDES; side++) {
        int rc = sys_fstatat(fds[side], "", &root.st[side], AT_EMPTY_PATH);
        if (rc < 0)
            return fail_sys(err, rc, "cannot look at a tree");
    }
    if (packer_open(&changes.packer, output_fd, err) < 0 || walk(&changes, fds, err) < 0 ||
        end_directory(&changes, &root, fds, 0, err) < 0)
        return -1;
    return packer_close(&changes.packer, err);
}

static void changes_done(struct changes *changes)
{
    packer_done(&changes->packer);
    for (int side = FROM; side < SIDES; side++)
        link_names_done(&changes->links[side]);
}

/* A directory's contents; its path ends with a slash.  The first descriptor may be -1. */
static int walk(struct changes *changes, const int fds[SIDES], struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    struct pack_names names[SIDES] = { { .mem = mem }, { .mem = mem } };

    if (changes->packer.depth == DEPTH_MAX)
        return fail(err, ERR_UNSUPPORTED, "'%.200s…' lies too deep to be packed",
                    changes->packer.path.data);
    for (int side = FROM; side < SIDES; side++)
        if (fds[side] >= 0 && pack_names_list(fds[side], &names[side], err) < 0)
            return -1;
    changes->packer.depth++;
    int rc = walk_names(changes, fds, names, err);
    changes->packer.depth--;
    return rc;
}

static int walk_names(struct changes *changes, const int fds[SIDES], struct pack_names names[SIDES],
                      struct error *err)
{
    size_t length = changes->packer.path.size;
    size_t next[SIDES] = { 0, 0 };
    int rc = 0;

    while (rc == 0 && (next[FROM] < names[FROM].count || next[TO] < names[TO].count)) {
        int order = next[FROM] == names[FROM].count ? 1
                    : next[TO] == names[TO].count
                        ? -1
                        : strcmp(names[FROM].items[next[FROM]], names[TO].items[next[TO]]);
        struct pair pair = {
            .name = order < 0 ? names[FROM].items[next[FROM]] : names[TO].items[next[TO]],
            .at_fd = { fds[FROM], fds[TO] },
        };
        next[FROM] += order <= 0;
        next[TO] += order >= 0;
        buf_text(&changes->packer.path, pair.name);
        rc = order < 0 ? remove_name(changes, err) : visit(changes, &pair, order == 0, err);
        packer_cut_path(&changes->packer, length);
    }
    return rc;
}

static int remove_name(struct changes *changes, struct error *err)
{
    const struct stat st = { .st_mode = S_IFREG | 0600, .st_nlink = 1 };
    const struct pack_item item = {
        .file = { .fd = -1 },
        .st = &st,
        .mark = MARK_REMOVED,
        .are_links_known = true,
    };

    return packer_write(&changes->packer, &item, err);
}

static int visit(struct changes *changes, struct pair *pair, bool is_in_from, struct error *err)
{
    for (int side = is_in_from ? FROM : TO; side < SIDES; side++) {
        int rc = sys_fstatat(pair->at_fd[side], pair->name, &pair->st[side], AT_SYMLINK_NOFOLLOW);
        if (rc < 0)
            return fail_sys(err, rc, "cannot look at '%.200s'", changes->packer.path.data);
    }
    pair->is_kind_same =
        is_in_from && (pair->st[FROM].st_mode & S_IFMT) == (pair->st[TO].st_mode & S_IFMT);
    if (S_ISDIR(pair->st[TO].st_mode))
        return visit_directory(changes, pair, err);
    if (S_ISREG(pair->st[TO].st_mode))
        return visit_file(changes, pair, err);
    return visit_other(changes, pair, err);
}

static int visit_directory(struct changes *changes, const struct pair *pair, struct error *err)
{
    struct packer *packer = &changes->packer;
    int64_t before = packer->entries;
    cleanup_fd int from =
        pair->is_kind_same ? open_side(pair, FROM, O_RDONLY | O_DIRECTORY, err) : -1;
    cleanup_fd int to = open_side(pair, TO, O_RDONLY | O_DIRECTORY, err);
    const int fds[SIDES] = { from, to };
    const struct pack_item item = { .file = { .fd = to },
                                    .st = &pair->st[TO],
                                    .are_links_known = true };

    if (to < 0 || (pair->is_kind_same && from < 0))
        return -1;
    if (!pair->is_kind_same && packer_write(packer, &item, err) < 0)
        return -1;
    size_t length = packer->path.size;
    buf_text(&packer->path, "/");
    if (walk(changes, fds, err) < 0)
        return -1;
    packer_cut_path(packer, length);
    return pair->is_kind_same ? end_directory(changes, pair, fds, before, err) : 0;
}

/* What was done below it may have changed its times. */
static int end_directory(struct changes *changes, const struct pair *pair, const int fds[SIDES],
                         int64_t before, struct error *err)
{
    const struct file files[SIDES] = { { .fd = fds[FROM] }, { .fd = fds[TO] } };
    const struct pack_item item = { .file = files[TO],
                                    .st = &pair->st[TO],
                                    .are_links_known = true };
    bool is_same = pair->is_kind_same && changes->packer.entries == before &&
                   is_stat_same(&pair->st[FROM], &pair->st[TO]);

    if (is_same && attributes_match(&files[FROM], &files[TO], &is_same, err) < 0)
        return -1;
    return is_same ? 0 : packer_write(&changes->packer, &item, err);
}

static int visit_file(struct changes *changes, const struct pair *pair, struct error *err)
{
    const char *path = changes->packer.path.data;
    const char *first[SIDES] = { NULL, path };

    if (pair->is_kind_same)
        first[FROM] = pair->st[FROM].st_nlink > 1
                          ? link_names_first(&changes->links[FROM], &pair->st[FROM], path)
                          : path;
    if (pair->st[TO].st_nlink > 1)
        first[TO] = link_names_first(&changes->links[TO], &pair->st[TO], path);
    if (strcmp(first[TO], path) != 0)
        return first[FROM] != NULL && strcmp(first[FROM], first[TO]) == 0
                   ? 0
                   : write_link(changes, pair, first[TO], err);
    return first[FROM] != NULL && strcmp(first[FROM], path) == 0 ? patch_file(changes, pair, err)
                                                                 : write_file(changes, pair, err);
}

static int write_link(struct changes *changes, const struct pair *pair, const char *first,
                      struct error *err)
{
    const struct pack_item item = {
        .file = { .fd = -1 },
        .st = &pair->st[TO],
        .hardlink = first,
        .are_links_known = true,
    };

    return packer_write(&changes->packer, &item, err);
}

static int write_file(struct changes *changes, const struct pair *pair, struct error *err)
{
    cleanup_fd int fd = open_side(pair, TO, O_RDONLY, err);
    const struct pack_item item = { .file = { .fd = fd },
                                    .st = &pair->st[TO],
                                    .are_links_known = true };

    return fd < 0 ? -1 : packer_write(&changes->packer, &item, err);
}

static int patch_file(struct changes *changes, const struct pair *pair, struct error *err)
{
    cleanup_ranges struct ranges ranges = { 0 };
    cleanup_fd int from = open_side(pair, FROM, O_RDONLY, err);
    cleanup_fd int to = from < 0 ? -1 : open_side(pair, TO, O_RDONLY, err);
    const struct file files[SIDES] = { { .fd = from }, { .fd = to } };
    const struct ranges_pair both = {
        .fd = { from, to },
        .size = { pair->st[FROM].st_size, pair->st[TO].st_size },
        .is_shared = changes->is_shared,
    };
    bool is_same = false;

    if (to < 0 || ranges_compare(&both, &ranges, err) < 0 ||
        attributes_match(&files[FROM], &files[TO], &is_same, err) < 0)
        return -1;
    if (is_same && ranges.count == 0 && both.size[FROM] == both.size[TO] &&
        is_stat_same(&pair->st[FROM], &pair->st[TO]))
        return 0;
    const struct pack_item item = {
        .file = files[TO],
        .st = &pair->st[TO],
        .mark = MARK_PATCHED,
        .ranges = &ranges,
        .are_links_known = true,
    };
    return packer_write(&changes->packer, &item, err);
}

/* Of those that can have attributes of their own there are few: they are made anew. */
static int visit_other(struct changes *changes, const struct pair *pair, struct error *err)
{
    const char *path = changes->packer.path.data;
    const struct stat *st = &pair->st[TO];
    const char *first = st->st_nlink > 1 ? link_names_first(&changes->links[TO], st, path) : path;
    bool is_same = S_ISLNK(st->st_mode) && pair->is_kind_same && st->st_nlink == 1 &&
                   pair->st[FROM].st_nlink == 1 && is_stat_same(&pair->st[FROM], st);

    if (strcmp(first, path) != 0)
        return write_link(changes, pair, first, err);
    if (is_same && is_target_same(pair, &is_same, err) < 0)
        return -1;
    return is_same ? 0 : packer_write_other(&changes->packer, pair->at_fd[TO], pair->name, st, err);
}

static int is_target_same(const struct pair *pair, bool *is_same, struct error *err)
{
    static char targets[SIDES][PATH_MAX]; /* the process is single-threaded */
    ssize_t sizes[SIDES];

    for (int side = FROM; side < SIDES; side++) {
        sizes[side] = readlinkat(pair->at_fd[side], pair->name, targets[side], PATH_MAX);
        if (sizes[side] < 0)
            return fail_sys(err, -errno, "cannot read a link");
    }
    *is_same =
        sizes[FROM] == sizes[TO] && memcmp(targets[FROM], targets[TO], (size_t)sizes[TO]) == 0;
    return 0;
}

static int open_side(const struct pair *pair, enum side side, int flags, struct error *err)
{
    int fd = sys_openat(pair->at_fd[side], pair->name, flags | O_NOFOLLOW | O_NONBLOCK, 0);

    return fd < 0 ? fail_sys(err, fd, "cannot open '%.200s'", pair->name) : fd;
}

/* But for its size and its names. */
static bool is_stat_same(const struct stat *left, const struct stat *right)
{
    return left->st_mode == right->st_mode && left->st_uid == right->st_uid &&
           left->st_gid == right->st_gid && left->st_mtim.tv_sec == right->st_mtim.tv_sec &&
           left->st_mtim.tv_nsec == right->st_mtim.tv_nsec;
}
