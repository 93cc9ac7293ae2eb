/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two subvolumes that were cut, however far back, from one and the same have been equal at that
 * moment: what differs now has changed since, in one or the other, and an inode's item says when it
 * changed.  An inode keeps its number in every copy.  So of each changed inode:
 *
 *   - that both have at the same path, it is compared: a file's contents, a directory's list of
 * names;
 *   - at any other path, its directory has changed too, and comparing that tells what came and
 * went.
 *
 * A path is the same when each directory on it is the same inode on both sides.
 */
#include "driver/btrfs_diff.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/arena.h"
#include "base/path.h"
#include "base/sys.h"
#include "driver/btrfs_search.h"
#include "driver/tree_diff.h"

#define INODES_MAX ((size_t)8 << 20) /* of so many changes a walk is no slower */
#define LINKS_MAX  UINT32_C(16)      /* whose paths the kernel surely tells at once */
#define PATHS_SIZE 4096              /* the kernel fills no more */

struct numbers {
    uint64_t *list;
    size_t count;
    size_t capacity;
};

/* Where both sides are at work: the directories of the last path looked at. */
struct place {
    char path[PATH_MAX];
    int fd[2];
    bool is_same;
};

struct comparison {
    const struct tree_diff_spec *spec;
    struct numbers changed;
    struct place place;

    union {
        struct btrfs_data_container head;
        char bytes[PATHS_SIZE];
    } paths;
};

static int find_base(const struct tree_diff_spec *spec, uint64_t *base);
static int collect(struct comparison *comparison, uint64_t base);
static int add_number(void *context, const struct btrfs_inode *inode);
static int by_number(const void *left, const void *right);
static int find_paths(struct comparison *comparison, uint64_t inode);
static const char *path_nth(const struct comparison *comparison, uint32_t index);
static int compare_all(struct comparison *comparison, struct error *err);
static int compare_inode(struct comparison *comparison, uint64_t inode, struct error *err);
static int compare_path(struct comparison *comparison, uint64_t inode, const char *path,
                        struct error *err);
static int compare_directory(const struct tree_diff_spec *spec, const int dirs[2], const char *name,
                             const char *path, struct error *err);
static int enter_place(struct comparison *comparison, const char *path, size_t size);
static int step(const int at[2], const char *name, int next[2]);
static void comparison_done(struct comparison *comparison);

int btrfs_diff(const struct driver_pool *pool, const struct tree_diff_spec *spec, struct error *err)
{
    uint64_t base = 0;
    struct comparison *comparison = mem_alloc(sizeof(*comparison));

    (void)pool;
    *comparison = (struct comparison){ .spec = spec, .place = { .fd = { -1, -1 } } };
    int rc = find_base(spec, &base);
    if (rc == 0)
        rc = collect(comparison, base);
    if (rc == 0)
        rc = compare_all(comparison, err);
    else if (rc < 0)
        rc = 1; /* whatever it is that the kernel will not tell: a walk needs none of it */
    comparison_done(comparison);
    return rc;
}

/* 0: both were the same in generation *base; 1: not that anybody knows. */
static int find_base(const struct tree_diff_spec *spec, uint64_t *base)
{
    struct btrfs_ancestor from[BTRFS_ANCESTORS_MAX];
    struct btrfs_ancestor to[BTRFS_ANCESTORS_MAX];
    int from_count = btrfs_ancestors(spec->from_fd, from);
    int to_count = from_count < 0 ? from_count : btrfs_ancestors(spec->to_fd, to);

    if (to_count < 0)
        return to_count;
    for (int i = 0; i < from_count; i++)
        for (int j = 0; j < to_count; j++)
            if (memcmp(from[i].uuid, to[j].uuid, sizeof(from[i].uuid)) == 0) {
                *base = from[i].until < to[j].until ? from[i].until : to[j].until;
                return 0;
            }
    return 1;
}

/* The inodes that changed on either side since then; 1: too many, or with too many names. */
static int collect(struct comparison *comparison, uint64_t base)
{
    struct numbers *changed = &comparison->changed;
    int rc = btrfs_changed_inodes(comparison->spec->from_fd, base, add_number, changed);
    size_t used = 0;

    if (rc == 0)
        rc = btrfs_changed_inodes(comparison->spec->to_fd, base, add_number, changed);
    if (rc != 0 || changed->count == 0)
        return rc;
    qsort(changed->list, changed->count, sizeof(*changed->list), by_number);
    for (size_t i = 0; i < changed->count; i++)
        if (used == 0 || changed->list[used - 1] != changed->list[i])
            changed->list[used++] = changed->list[i];
    changed->count = used;
    /* Asked for all before anything is told: after that there is no other way. */
    for (size_t i = 0; rc == 0 && i < used; i++)
        if (changed->list[i] != BTRFS_FIRST_FREE_OBJECTID) {
            rc = find_paths(comparison, changed->list[i]);
            rc = rc < 0 ? rc : comparison->paths.head.elem_missed > 0;
        }
    return rc;
}

static int add_number(void *context, const struct btrfs_inode *inode)
{
    struct numbers *numbers = context;

    if (numbers->count == INODES_MAX || inode->links > LINKS_MAX)
        return 1;
    if (numbers->count == numbers->capacity) {
        numbers->capacity = numbers->capacity == 0 ? 256 : numbers->capacity * 2;
        numbers->list = mem_grow(numbers->list, numbers->capacity * sizeof(*numbers->list));
    }
    numbers->list[numbers->count++] = inode->number;
    return 0;
}

static int by_number(const void *left, const void *right)
{
    const uint64_t *a = left;
    const uint64_t *b = right;

    return *a < *b ? -1 : *a > *b;
}

/* All paths of an inode in the newer tree; none when only the older has it. */
static int find_paths(struct comparison *comparison, uint64_t inode)
{
    struct btrfs_ioctl_ino_path_args args = {
        .inum = inode,
        .size = sizeof(comparison->paths),
        .fspath = (uint64_t)(uintptr_t)&comparison->paths,
    };

    memset(&comparison->paths.head, 0, sizeof(comparison->paths.head));
    int rc = sys_ioctl(comparison->spec->to_fd, BTRFS_IOC_INO_PATHS, &args);
    return rc == -ENOENT ? 0 : rc < 0 ? rc : 0;
}

static const char *path_nth(const struct comparison *comparison, uint32_t index)
{
    return (const char *)comparison->paths.head.val + comparison->paths.head.val[index];
}

static int compare_all(struct comparison *comparison, struct error *err)
{
    for (size_t i = 0; i < comparison->changed.count; i++)
        if (compare_inode(comparison, comparison->changed.list[i], err) < 0)
            return -1;
    return 0;
}

static int compare_inode(struct comparison *comparison, uint64_t inode, struct error *err)
{
    const struct tree_diff_spec *spec = comparison->spec;
    const int dirs[2] = { spec->from_fd, spec->to_fd };

    if (inode == BTRFS_FIRST_FREE_OBJECTID)
        return compare_directory(spec, dirs, "", "", err);
    int rc = find_paths(comparison, inode);
    if (rc < 0)
        return fail_sys(err, rc, "cannot find where inode %llu is", (unsigned long long)inode);
    for (uint32_t i = 0; i < comparison->paths.head.elem_cnt; i++)
        if (compare_path(comparison, inode, path_nth(comparison, i), err) < 0)
            return -1;
    return 0;
}

static int compare_path(struct comparison *comparison, uint64_t inode, const char *path,
                        struct error *err)
{
    const char *name = path_base(path);
    struct tree_pair pair = { .name = name, .path = path };
    int rc = enter_place(comparison, path, (size_t)(name - path));

    if (rc < 0)
        return fail_sys(err, rc, "cannot open the directory of '%s'", path);
    if (!comparison->place.is_same)
        return 0;
    pair.from_dirfd = comparison->place.fd[0];
    pair.to_dirfd = comparison->place.fd[1];
    if (sys_fstatat(pair.from_dirfd, name, &pair.from, AT_SYMLINK_NOFOLLOW) < 0 ||
        sys_fstatat(pair.to_dirfd, name, &pair.to, AT_SYMLINK_NOFOLLOW) < 0 ||
        pair.from.st_ino != inode || pair.to.st_ino != inode)
        return 0; /* it came, went or moved: its directory tells */
    if (S_ISDIR(pair.to.st_mode))
        return compare_directory(comparison->spec, comparison->place.fd, name, path, err);
    return tree_diff_pair(comparison->spec, &pair, err);
}

static int compare_directory(const struct tree_diff_spec *spec, const int dirs[2], const char *name,
                             const char *path, struct error *err)
{
    cleanup_fd int from =
        sys_openat(dirs[0], *name == '\0' ? "." : name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    cleanup_fd int to =
        sys_openat(dirs[1], *name == '\0' ? "." : name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    struct tree_diff_spec below = *spec;
    struct tree_pair pair = { .from_dirfd = from, .to_dirfd = to, .name = "", .path = path };
    int rc = from < 0 ? from : to;

    if (rc >= 0)
        rc = sys_fstatat(from, "", &pair.from, AT_EMPTY_PATH);
    if (rc >= 0)
        rc = sys_fstatat(to, "", &pair.to, AT_EMPTY_PATH);
    if (rc < 0)
        return fail_sys(err, rc, "cannot open directory '%s'", path);
    below.from_fd = from;
    below.to_fd = to;
    if (tree_diff_pair(spec, &pair, err) < 0)
        return -1;
    return tree_diff_directory(&below, path, err);
}

/* Opens the directory that is the first 'size' bytes of the path on both sides. */
static int enter_place(struct comparison *comparison, const char *path, size_t size)
{
    struct place *place = &comparison->place;
    int at[2] = { comparison->spec->from_fd, comparison->spec->to_fd };
    char name[NAME_MAX + 1];

    if (place->fd[0] >= 0 && strncmp(place->path, path, size) == 0 && place->path[size] == '\0')
        return 0;
    sys_close_fd(&place->fd[0]);
    sys_close_fd(&place->fd[1]);
    memcpy(place->path, path, size);
    place->path[size] = '\0';
    place->is_same = true;
    int rc = step(at, ".", place->fd);
    for (size_t used = 0; rc >= 0 && place->is_same && used < size;) {
        size_t length = strcspn(path + used, "/");
        int next[2] = { -1, -1 };
        memcpy(name, path + used, length);
        name[length] = '\0';
        used += length + 1;
        rc = step(place->fd, name, next);
        place->is_same = rc > 0;
        for (int i = 0; i < 2; i++) {
            sys_close_fd(&place->fd[i]);
            place->fd[i] = next[i];
        }
    }
    if (rc < 0 || place->fd[0] < 0) {
        place->path[0] = '\0';
        sys_close_fd(&place->fd[0]);
    }
    return rc;
}

/* 1: the same directory on both sides, opened; 0: it is not. */
static int step(const int at[2], const char *name, int next[2])
{
    struct stat st[2];

    for (int i = 0; i < 2; i++) {
        next[i] = sys_openat2(at[i], name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                              RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
        int rc = next[i] < 0 ? next[i] : sys_fstatat(next[i], "", &st[i], AT_EMPTY_PATH);
        if (rc < 0)
            return rc == -ENOENT || rc == -ENOTDIR || rc == -EXDEV || rc == -ELOOP ? 0 : rc;
    }
    return st[0].st_ino == st[1].st_ino;
}

static void comparison_done(struct comparison *comparison)
{
    sys_close_fd(&comparison->place.fd[0]);
    sys_close_fd(&comparison->place.fd[1]);
    free(comparison->changed.list);
    free(comparison);
}
