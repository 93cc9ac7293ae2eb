/* SPDX-License-Identifier: Apache-2.0 */
/* Asking btrfs's trees: who a subvolume descends from, and which inodes changed since a moment. */
#ifndef DRIVER_BTRFS_SEARCH_H
#define DRIVER_BTRFS_SEARCH_H

#include <stdint.h>

#include "driver/btrfs_tree.h"

#define BTRFS_ANCESTORS_MAX 64

/* Subvolume 'uuid' as it was at generation 'until'. */
struct btrfs_ancestor {
    uint8_t uuid[16];
    uint64_t until;
};

/*
 * The subvolume of 'fd' itself (until UINT64_MAX), what it was cut from, what that was cut from,
 * and so on; also the last one that is no more.  Returns how many, or -errno.
 */
int btrfs_ancestors(int fd, struct btrfs_ancestor list[BTRFS_ANCESTORS_MAX]);

/* An inode as its item says. */
struct btrfs_inode {
    uint64_t number;
    uint64_t changed; /* generation */
    uint32_t links;
};

/*
 * Calls each() for every inode of the subvolume of 'fd' that changed in generation 'since' or
 * later; it stops the search by returning other than 0.  Returns that, 0 or -errno.
 */
int btrfs_changed_inodes(int fd, uint64_t since,
                         int (*each)(void *context, const struct btrfs_inode *inode),
                         void *context);

/* Reads an inode's item; -EINVAL when it is too short to be one. */
int btrfs_inode_read(const struct btrfs_item *item, struct btrfs_inode *inode);

#endif
