/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only extents that lie where they say count: not those whose blocks are yet to be chosen, that are
 * stored in the inode, or that are packed (a part of a packed extent has the address of the whole).
 */
#include "base/extents.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <string.h>

#include "base/sys.h"

#define FLAGS_UNSURE                                                                        \
    (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_ENCODED |               \
     FIEMAP_EXTENT_DATA_ENCRYPTED | FIEMAP_EXTENT_NOT_ALIGNED | FIEMAP_EXTENT_DATA_INLINE | \
     FIEMAP_EXTENT_DATA_TAIL)

/* What a file has at a place, up to 'end'. */
struct piece {
    bool is_hole;
    bool is_sure;
    bool is_unwritten;
    uint64_t physical;
    int64_t end;
};

static void piece_at(struct extents *extents, int64_t at, struct piece *piece);
static void fill(struct extents *extents, int64_t at);

void extents_begin(struct extents *extents, int fd)
{
    extents->fd = fd;
    extents->is_unknown = false;
    extents->is_last = false;
    extents->count = 0;
    extents->next = 0;
}

bool extents_are_shared(struct extents extents[2], int64_t at, int64_t limit, int64_t *end)
{
    struct piece pieces[2];

    *end = limit;
    for (int i = 0; i < 2; i++) {
        piece_at(&extents[i], at, &pieces[i]);
        if (pieces[i].end < *end)
            *end = pieces[i].end;
    }
    if (!pieces[0].is_sure || !pieces[1].is_sure)
        return false;
    if (pieces[0].is_hole || pieces[1].is_hole)
        return pieces[0].is_hole && pieces[1].is_hole;
    return pieces[0].physical == pieces[1].physical &&
           pieces[0].is_unwritten == pieces[1].is_unwritten;
}

static void piece_at(struct extents *extents, int64_t at, struct piece *piece)
{
    while (!extents->is_unknown) {
        while (extents->next < extents->count && extents->items[extents->next].end <= at)
            extents->next++;
        if (extents->next < extents->count || extents->is_last)
            break;
        fill(extents, at);
    }
    *piece = (struct piece){ .is_hole = true, .is_sure = !extents->is_unknown, .end = INT64_MAX };
    if (extents->is_unknown || extents->next == extents->count)
        return;
    if (extents->items[extents->next].start > at) {
        piece->end = extents->items[extents->next].start;
        return;
    }
    piece->is_hole = false;
    piece->is_sure = (extents->items[extents->next].flags & FLAGS_UNSURE) == 0;
    piece->is_unwritten = (extents->items[extents->next].flags & FIEMAP_EXTENT_UNWRITTEN) != 0;
    piece->physical = extents->items[extents->next].physical +
                      (uint64_t)(at - extents->items[extents->next].start);
    piece->end = extents->items[extents->next].end;
}

static void fill(struct extents *extents, int64_t at)
{
    struct {
        struct fiemap head;
        struct fiemap_extent items[EXTENTS_BATCH];
    } map = { .head = { .fm_start = (uint64_t)at,
                        .fm_flags = FIEMAP_FLAG_SYNC, /* a write under way has no blocks yet */
                        .fm_length = FIEMAP_MAX_OFFSET - (uint64_t)at,
                        .fm_extent_count = EXTENTS_BATCH } };

    extents->next = 0;
    extents->count = 0;
    if (sys_ioctl(extents->fd, FS_IOC_FIEMAP, &map) < 0 ||
        map.head.fm_mapped_extents > EXTENTS_BATCH) {
        extents->is_unknown = true;
        return;
    }
    extents->is_last = map.head.fm_mapped_extents == 0;
    for (size_t i = 0; i < map.head.fm_mapped_extents; i++) {
        const struct fiemap_extent *item = &map.items[i];
        extents->items[i].start = (int64_t)item->fe_logical;
        extents->items[i].end = (int64_t)(item->fe_logical + item->fe_length);
        extents->items[i].physical = item->fe_physical;
        extents->items[i].flags = item->fe_flags;
        extents->is_last = extents->is_last || (item->fe_flags & FIEMAP_EXTENT_LAST) != 0;
    }
    extents->count = map.head.fm_mapped_extents;
}
