/* SPDX-License-Identifier: Apache-2.0 */
/* Reading btrfs's own trees: which subvolume a descriptor is in, and items by their keys. */
#ifndef DRIVER_BTRFS_TREE_H
#define DRIVER_BTRFS_TREE_H

#include <stddef.h>
#include <stdint.h>

/* The id of the subvolume that 'fd' lies in, or -errno. */
int btrfs_subvolume_id(int fd, uint64_t *id);

/* Items of one type, their keys' first and last numbers in a range. */
struct btrfs_range {
    uint64_t tree;
    uint32_t type;
    uint64_t first_object;
    uint64_t last_object;
    uint64_t first_offset;
    uint64_t last_offset;
};

struct btrfs_item {
    uint64_t object;
    uint64_t offset;
    const void *data; /* not aligned; valid until each() returns */
    size_t size;
};

/*
 * Calls each() for the items of the range, in the order of their keys, until it returns other than
 * 0.  Returns what it returned last, 0 when there was none, or -errno (ENOENT: there is no such
 * tree).
 */
typedef int (*btrfs_item_fn)(void *context, const struct btrfs_item *item);
int btrfs_tree_each(int fd, const struct btrfs_range *range, btrfs_item_fn each, void *context);

/* Copies the first 'size' bytes of the item at (object, type, offset): 1, 0 when it is not there,
 * or -errno. */
int btrfs_tree_get(int fd, const struct btrfs_range *key, void *data, size_t size);

#endif
