/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading btrfs's own trees: which subvolume a descriptor is in, and items by their keys.  Items
 * are packed and little-endian, and nothing in them is taken on trust.
 */
#ifndef DRIVER_BTRFS_TREE_H
#define DRIVER_BTRFS_TREE_H

#include <stddef.h>
#include <stdint.h>

/* The id of the subvolume that 'fd' lies in, or -errno. */
int btrfs_subvolume_id(int fd, uint64_t *id);

/* Items of one type, their keys' first and last numbers in a range. */
struct btrfs_range {
    uint64_t tree;  /* 0: the subvolume's own */
    uint64_t since; /* only what lies in blocks written in this generation or later */
    uint32_t type;
    uint64_t first_object;
    uint64_t last_object;
    uint64_t first_offset;
    uint64_t last_offset;
};

struct btrfs_item {
    uint64_t object;
    uint64_t offset;
    uint32_t type;
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

/*
 * Copies the first 'size' bytes of the item at (first_object, type, first_offset): 1, 0 when it is
 * not there, or -errno (EIO: it is shorter).  _get_first takes the first item of that object and
 * type, whatever its offset.
 */
int btrfs_tree_get(int fd, const struct btrfs_range *key, void *data, size_t size);
int btrfs_tree_get_first(int fd, const struct btrfs_range *key, void *data, size_t size);

/* What a search answered, item by item; a buffer that makes no sense ends early. */
struct btrfs_items {
    const char *data;
    size_t size;
    size_t at;
    uint32_t count; /* that are left: behind the last one lies what an earlier search left there */
};

/* 1: *item is the next; 0: there is none. */
int btrfs_items_next(struct btrfs_items *items, struct btrfs_item *item);

#endif
