/* SPDX-License-Identifier: Apache-2.0 */
/* Where a file's bytes lie (FIEMAP), to find what two files of one filesystem share. */
#ifndef BASE_EXTENTS_H
#define BASE_EXTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXTENTS_BATCH 64

/* A place in a file's map, read in batches as one goes forward. */
struct extents {
    int fd;
    bool is_unknown; /* the filesystem does not tell */
    bool is_last;    /* the batch reaches the file's end */
    size_t count;
    size_t next;

    struct {
        int64_t start;
        int64_t end;
        uint64_t physical; /* of 'start' */
        uint32_t flags;
    } items[EXTENTS_BATCH];
};

void extents_begin(struct extents *extents, int fd);

/*
 * True when both files have the very same blocks, or both a hole, from 'at' to *end (at most
 * 'limit'); false when from 'at' to *end they have not, or nobody can tell.  'at' goes forward from
 * call to call.
 */
bool extents_are_shared(struct extents extents[2], int64_t at, int64_t limit, int64_t *end);

#endif
