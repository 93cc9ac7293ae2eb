/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two inodes that have one name.  Contents are compared byte for byte, but for blocks that both
 * share: there is nothing to read in those.  Times decide nothing, unless a quick look was asked
 * for.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/extents.h"
#include "base/sys.h"
#include "driver/attributes.h"
#include "driver/data.h"
#include "driver/tree_diff.h"

#define BLOCK_BYTES ((size_t)4096) /* what a difference is counted in */
#define CHUNK_BYTES ((size_t)256 * 1024)
#define SMALL_BYTES ((int64_t)4096)       /* read to the stack */
#define MAP_BYTES   ((int64_t)256 * 1024) /* what is smaller is read sooner than asked about */

struct comparison {
    int from_fd;
    int to_fd;
    char *chunks[2];
    size_t chunk_bytes;
    bool is_mapped; /* whether blocks are shared is asked before they are read */
    int64_t bytes;
};

static int compare_contents(const struct tree_diff_spec *spec, const struct tree_pair *pair,
                            struct tree_change *change);
static int compare_files(const struct tree_diff_spec *spec, const struct tree_pair *pair,
                         struct tree_change *change);
static int compare_open(const struct tree_diff_spec *spec, const int files[2],
                        const struct stat *from, const struct stat *to, struct tree_change *change);
static int compare_ranges(struct comparison *comparison, int64_t size);
static int compare_range(struct comparison *comparison, int64_t start, int64_t end);
static int64_t count_blocks(const char *left, const char *right, size_t size);
static ssize_t read_at(int fd, char *data, size_t size, int64_t at);
static int compare_links(const struct tree_pair *pair, bool *is_same);
static int compare_metadata(const struct tree_pair *pair, bool *is_same);
static void pair_place(const struct tree_pair *pair, int side, struct attributes_place *place);
static bool times_equal(const struct stat *left, const struct stat *right);

int tree_diff_pair(const struct tree_diff_spec *spec, const struct tree_pair *pair,
                   struct error *err)
{
    struct tree_change change;
    int rc = tree_diff_compare(spec, pair, &change);

    if (rc == -ENOENT) /* it vanished between being seen and being read */
        return 0;
    if (rc < 0)
        return fail_sys(err, rc, "cannot compare '%s'", pair->path);
    return rc > 0 ? spec->each(spec->context, &change, err) : 0;
}

int tree_diff_compare(const struct tree_diff_spec *spec, const struct tree_pair *pair,
                      struct tree_change *change)
{
    struct tree_change found = {
        .path = pair->path,
        .kind = TREE_CHANGED,
        .from = pair->from,
        .to = pair->to,
    };
    bool is_same = true;
    int rc = compare_contents(spec, pair, &found);

    if (rc >= 0)
        rc = compare_metadata(pair, &is_same);
    if (rc < 0)
        return rc;
    found.is_metadata = !is_same;
    *change = found;
    return found.is_data || found.is_metadata ? 1 : 0;
}

static int compare_contents(const struct tree_diff_spec *spec, const struct tree_pair *pair,
                            struct tree_change *change)
{
    bool is_same = true;
    int rc = 0;

    switch (pair->to.st_mode & S_IFMT) {
    case S_IFREG: return compare_files(spec, pair, change);
    case S_IFLNK: rc = compare_links(pair, &is_same); break;
    case S_IFBLK:
    case S_IFCHR: is_same = pair->from.st_rdev == pair->to.st_rdev; break;
    default: break; /* a directory's entries are the walk's; fifos and sockets have nothing */
    }
    change->is_data = !is_same;
    return rc;
}

static int compare_files(const struct tree_diff_spec *spec, const struct tree_pair *pair,
                         struct tree_change *change)
{
    bool is_sized = pair->from.st_size == pair->to.st_size;
    struct stat from;
    struct stat to;

    if (is_sized &&
        (pair->to.st_size == 0 || (spec->is_quick && times_equal(&pair->from, &pair->to))))
        return 0;
    if (pair->files != NULL)
        return compare_open(spec, pair->files, &pair->from, &pair->to, change);
    cleanup_fd int from_fd = data_open(pair->from_dirfd, pair->name, &from);
    cleanup_fd int to_fd = from_fd < 0 ? -1 : data_open(pair->to_dirfd, pair->name, &to);
    if (from_fd < 0 || to_fd < 0)
        return from_fd < 0 ? from_fd : to_fd;
    return compare_open(spec, (const int[2]){ from_fd, to_fd }, &from, &to, change);
}

static int compare_open(const struct tree_diff_spec *spec, const int files[2],
                        const struct stat *from, const struct stat *to, struct tree_change *change)
{
    struct comparison comparison = { .from_fd = files[0], .to_fd = files[1] };
    int64_t least = from->st_size < to->st_size ? from->st_size : to->st_size;
    char small[2][SMALL_BYTES];
    bool is_small = least <= SMALL_BYTES;

    comparison.is_mapped = spec->is_shared && least >= MAP_BYTES;
    comparison.chunk_bytes = least < (int64_t)CHUNK_BYTES ? (size_t)least + 1 : CHUNK_BYTES;
    for (int i = 0; i < 2; i++)
        comparison.chunks[i] = is_small ? small[i] : mem_alloc(comparison.chunk_bytes);
    int rc = compare_ranges(&comparison, least);
    for (int i = 0; i < 2 && !is_small; i++)
        free(comparison.chunks[i]);
    change->bytes = comparison.bytes + llabs(to->st_size - from->st_size);
    change->is_data = change->bytes > 0;
    return rc;
}

/* What both have beyond the shorter one's end is counted by the caller. */
static int compare_ranges(struct comparison *comparison, int64_t size)
{
    struct extents extents[2];
    int64_t at = 0;
    int64_t end;

    if (!comparison->is_mapped)
        return compare_range(comparison, 0, size);
    extents_begin(&extents[0], comparison->from_fd);
    extents_begin(&extents[1], comparison->to_fd);
    while (at < size) {
        bool is_shared = extents_are_shared(extents, at, size, &end);
        int rc = is_shared ? 0 : compare_range(comparison, at, end);
        if (rc < 0)
            return rc;
        at = end;
    }
    return 0;
}

static int compare_range(struct comparison *comparison, int64_t start, int64_t end)
{
    while (start < end) {
        size_t chunk = comparison->chunk_bytes;
        size_t wanted = end - start < (int64_t)chunk ? (size_t)(end - start) : chunk;
        ssize_t left = read_at(comparison->from_fd, comparison->chunks[0], wanted, start);
        ssize_t right = read_at(comparison->to_fd, comparison->chunks[1], wanted, start);
        if (left < 0 || right < 0)
            return left < 0 ? (int)left : (int)right;
        size_t both = (size_t)(left < right ? left : right);
        comparison->bytes += count_blocks(comparison->chunks[0], comparison->chunks[1], both);
        if (both < wanted)
            return 0; /* truncated under us */
        start += (int64_t)both;
    }
    return 0;
}

static int64_t count_blocks(const char *left, const char *right, size_t size)
{
    int64_t bytes = 0;

    if (memcmp(left, right, size) == 0)
        return 0;
    for (size_t at = 0; at < size; at += BLOCK_BYTES) {
        size_t block = size - at < BLOCK_BYTES ? size - at : BLOCK_BYTES;
        if (memcmp(left + at, right + at, block) != 0)
            bytes += (int64_t)block;
    }
    return bytes;
}

static ssize_t read_at(int fd, char *data, size_t size, int64_t at)
{
    size_t done = 0;

    while (done < size) {
        ssize_t got = pread(fd, data + done, size - done, at + (int64_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : (ssize_t)done;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static int compare_links(const struct tree_pair *pair, bool *is_same)
{
    char *targets = mem_alloc((size_t)2 * PATH_MAX);
    ssize_t left = readlinkat(pair->from_dirfd, pair->name, targets, PATH_MAX);
    int rc = left < 0 ? -errno : 0;
    ssize_t right =
        rc < 0 ? -1 : readlinkat(pair->to_dirfd, pair->name, targets + PATH_MAX, PATH_MAX);

    if (rc >= 0 && right < 0)
        rc = -errno;
    if (rc >= 0)
        *is_same = left == right && memcmp(targets, targets + PATH_MAX, (size_t)left) == 0;
    free(targets);
    return rc;
}

/* A directory's time changes with every entry, which is told as such. */
static int compare_metadata(const struct tree_pair *pair, bool *is_same)
{
    const struct stat *from = &pair->from;
    const struct stat *to = &pair->to;
    struct attributes_place places[2];

    *is_same = from->st_mode == to->st_mode && from->st_uid == to->st_uid &&
               from->st_gid == to->st_gid && (S_ISDIR(to->st_mode) || times_equal(from, to));
    if (!*is_same)
        return 0;
    pair_place(pair, 0, &places[0]);
    pair_place(pair, 1, &places[1]);
    return attributes_compare(&places[0], &places[1], is_same);
}

static void pair_place(const struct tree_pair *pair, int side, struct attributes_place *place)
{
    int dirfd = side == 0 ? pair->from_dirfd : pair->to_dirfd;

    *place = (struct attributes_place){ .fd = -1, .dirfd = dirfd, .name = pair->name };
    if (pair->files != NULL)
        place->fd = pair->files[side];
    else if (*pair->name == '\0')
        place->fd = dirfd;
}

static bool times_equal(const struct stat *left, const struct stat *right)
{
    return left->st_mtim.tv_sec == right->st_mtim.tv_sec &&
           left->st_mtim.tv_nsec == right->st_mtim.tv_nsec;
}
