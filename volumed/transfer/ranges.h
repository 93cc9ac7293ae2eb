/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a file, in order; and which of them differ between two. */
#ifndef TRANSFER_RANGES_H
#define TRANSFER_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"

struct range {
    int64_t start;
    int64_t end;
};

struct ranges {
    struct range *items;
    size_t count;
    size_t capacity;
    int64_t gap; /* parts no farther from one another are one */
};

/* 'start' is not before the last end.  When they are too many, neighbours become one. */
void ranges_add(struct ranges *ranges, int64_t start, int64_t end);
void ranges_done(struct ranges *ranges);
#define cleanup_ranges CLEANUP(ranges_done)

struct ranges_pair {
    int fd[2]; /* from, to */
    int64_t size[2];
    bool is_shared; /* on one filesystem: blocks that both have are the same */
};

/* Adds what is other in the second file than in the first.  Neither is written meanwhile. */
int ranges_compare(const struct ranges_pair *pair, struct ranges *ranges, struct error *err);

#endif
