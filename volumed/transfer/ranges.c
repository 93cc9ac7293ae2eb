/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks that two files share are not read; all others are, and compared. */
#include "transfer/ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/base.h"
#include "base/extents.h"
#include "base/sys.h"

#define RANGES_MAX 65536
#define BLOCK      4096
#define CHUNK      ((size_t)64 * BLOCK)

static void merge(struct ranges *ranges);
static int compare_bytes(const struct ranges_pair *pair, struct range part, struct ranges *ranges,
                         struct error *err);
static void compare_chunk(const char *left, const char *right, struct range part,
                          struct ranges *ranges);
static int read_part(int fd, char *data, struct range part, struct error *err);
static void add_data(int fd, int64_t at, int64_t size, struct ranges *ranges);

void ranges_add(struct ranges *ranges, int64_t start, int64_t end)
{
    if (start >= end)
        return;
    if (ranges->count > 0 && start - ranges->items[ranges->count - 1].end <= ranges->gap) {
        ranges->items[ranges->count - 1].end = end;
        return;
    }
    if (ranges->count == RANGES_MAX)
        merge(ranges);
    if (ranges->count == ranges->capacity) {
        ranges->capacity = ranges->capacity == 0 ? 64 : 2 * ranges->capacity;
        ranges->items = mem_grow(ranges->items, ranges->capacity * sizeof(*ranges->items));
    }
    ranges->items[ranges->count++] = (struct range){ start, end };
}

void ranges_done(struct ranges *ranges)
{
    free(ranges->items);
    *ranges = (struct ranges){ 0 };
}

int ranges_compare(const struct ranges_pair *pair, struct ranges *ranges, struct error *err)
{
    int64_t common = pair->size[0] < pair->size[1] ? pair->size[0] : pair->size[1];
    /* The block in which one of them ends is read: what lies behind an end is nobody's business. */
    int64_t blocks = common - common % BLOCK;
    struct extents extents[2];
    int64_t end = 0;

    for (int i = 0; i < 2; i++)
        extents_begin(&extents[i], pair->fd[i]);
    for (int64_t at = 0; at < blocks; at = end) {
        end = blocks;
        if (pair->is_shared && extents_are_shared(extents, at, blocks, &end))
            continue;
        if (compare_bytes(pair, (struct range){ at, end }, ranges, err) < 0)
            return -1;
    }
    if (compare_bytes(pair, (struct range){ blocks, common }, ranges, err) < 0)
        return -1;
    add_data(pair->fd[1], common, pair->size[1], ranges);
    return 0;
}

/* Until there are half as many. */
static void merge(struct ranges *ranges)
{
    while (ranges->count > RANGES_MAX / 2) {
        size_t kept = 1;
        ranges->gap = ranges->gap == 0 ? BLOCK : 2 * ranges->gap;
        for (size_t i = 1; i < ranges->count; i++) {
            struct range *last = &ranges->items[kept - 1];
            if (ranges->items[i].start - last->end <= ranges->gap)
                last->end = ranges->items[i].end;
            else
                ranges->items[kept++] = ranges->items[i];
        }
        ranges->count = kept;
    }
}

static int compare_bytes(const struct ranges_pair *pair, struct range part, struct ranges *ranges,
                         struct error *err)
{
    static char left[CHUNK]; /* the process is single-threaded, and its stack small */
    static char right[CHUNK];

    for (int64_t at = part.start; at < part.end;) {
        int64_t end = part.end - at < (int64_t)CHUNK ? part.end : at + (int64_t)CHUNK;
        const struct range piece = { at, end };
        if (read_part(pair->fd[0], left, piece, err) < 0 ||
            read_part(pair->fd[1], right, piece, err) < 0)
            return -1;
        compare_chunk(left, right, piece, ranges);
        at = end;
    }
    return 0;
}

static void compare_chunk(const char *left, const char *right, struct range part,
                          struct ranges *ranges)
{
    size_t size = (size_t)(part.end - part.start);

    for (size_t at = 0; at < size; at += BLOCK) {
        size_t piece = size - at < BLOCK ? size - at : BLOCK;
        if (memcmp(left + at, right + at, piece) != 0)
            ranges_add(ranges, part.start + (int64_t)at, part.start + (int64_t)(at + piece));
    }
}

static int read_part(int fd, char *data, struct range part, struct error *err)
{
    size_t size = (size_t)(part.end - part.start);

    for (size_t done = 0; done < size;) {
        ssize_t got = pread(fd, data + done, size - done, part.start + (int64_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fail_sys(err, got < 0 ? -errno : -EIO, "cannot read a file to compare it");
        done += (size_t)got;
    }
    return 0;
}

/* What the file has from there on, but for holes. */
static void add_data(int fd, int64_t at, int64_t size, struct ranges *ranges)
{
    while (at < size) {
        off_t start = lseek(fd, at, SEEK_DATA);
        if (start < 0 && errno == ENXIO) /* a hole up to the end */
            return;
        off_t end = start < 0 ? size : lseek(fd, start, SEEK_HOLE);
        if (start < 0)
            start = at;
        if (end < 0 || end > size)
            end = size;
        ranges_add(ranges, start, end);
        at = end;
    }
}
