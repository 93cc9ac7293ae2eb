/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel answers to a search of btrfs's trees: items in a buffer, from a disk that lies.
 */
#include <assert.h>

#include "driver/btrfs_search.h"
#include "fuzz.h"

int fuzz_one(const unsigned char *data, size_t size)
{
    struct btrfs_items items = { .data = (const char *)data, .size = size, .count = UINT32_MAX };
    struct btrfs_item item;
    struct btrfs_inode inode;
    size_t last = 0;

    while (btrfs_items_next(&items, &item) > 0) {
        assert(items.at > last && items.at <= size);
        assert((const char *)item.data + item.size == (const char *)data + items.at);
        if (btrfs_inode_read(&item, &inode) == 0)
            assert(inode.number == item.object);
        last = items.at;
    }
    return 0;
}
