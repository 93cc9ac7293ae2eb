/* SPDX-License-Identifier: Apache-2.0 */
/* BTRFS_IOC_TREE_SEARCH, one buffer at a time. */
#include "driver/btrfs_tree.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#define ITEMS_MAX 4096 /* more than a buffer holds */

struct copy {
    void *data;
    size_t size;
};

static int search(int fd, struct btrfs_ioctl_search_args *args);
static int visit_buffer(const struct btrfs_ioctl_search_args *args, const struct btrfs_range *range,
                        btrfs_item_fn each, void *context, struct btrfs_ioctl_search_header *last);
static bool is_wanted(const struct btrfs_range *range,
                      const struct btrfs_ioctl_search_header *header);
static bool step(struct btrfs_ioctl_search_key *key, const struct btrfs_ioctl_search_header *last);
static int copy_item(void *context, const struct btrfs_item *item);

int btrfs_subvolume_id(int fd, uint64_t *id)
{
    struct btrfs_ioctl_ino_lookup_args args = { .objectid = BTRFS_FIRST_FREE_OBJECTID };

    if (ioctl(fd, BTRFS_IOC_INO_LOOKUP, &args) < 0)
        return -errno;
    *id = args.treeid;
    return 0;
}

int btrfs_tree_each(int fd, const struct btrfs_range *range, btrfs_item_fn each, void *context)
{
    struct btrfs_ioctl_search_args args = {
        .key = {
            .tree_id = range->tree,
            .min_objectid = range->first_object,
            .max_objectid = range->last_object,
            .min_offset = range->first_offset,
            .max_offset = range->last_object == range->first_object ? range->last_offset
                                                                    : UINT64_MAX,
            .max_transid = UINT64_MAX,
            .min_type = range->type,
            .max_type = range->type,
        },
    };
    struct btrfs_ioctl_search_header last = { 0 };

    for (;;) {
        int rc = search(fd, &args);
        if (rc <= 0)
            return rc;
        rc = visit_buffer(&args, range, each, context, &last);
        if (rc != 0 || !step(&args.key, &last))
            return rc;
    }
}

int btrfs_tree_get(int fd, const struct btrfs_range *key, void *data, size_t size)
{
    struct btrfs_range one = *key;
    struct copy copy = { data, size };

    one.last_object = one.first_object;
    one.last_offset = one.first_offset;
    return btrfs_tree_each(fd, &one, copy_item, &copy);
}

/* Returns how many items were found. */
static int search(int fd, struct btrfs_ioctl_search_args *args)
{
    args->key.nr_items = ITEMS_MAX;
    if (ioctl(fd, BTRFS_IOC_TREE_SEARCH, args) < 0)
        return -errno;
    return (int)args->key.nr_items;
}

static int visit_buffer(const struct btrfs_ioctl_search_args *args, const struct btrfs_range *range,
                        btrfs_item_fn each, void *context, struct btrfs_ioctl_search_header *last)
{
    size_t at = 0;

    for (uint32_t i = 0; i < args->key.nr_items; i++) {
        memcpy(last, args->buf + at, sizeof(*last));
        at += sizeof(*last);
        const struct btrfs_item item = { last->objectid, last->offset, args->buf + at, last->len };
        int rc = is_wanted(range, last) ? each(context, &item) : 0;
        if (rc != 0)
            return rc;
        at += last->len;
    }
    return 0;
}

/* The kernel compares whole keys, (object, type, offset), and not part by part. */
static bool is_wanted(const struct btrfs_range *range,
                      const struct btrfs_ioctl_search_header *header)
{
    return header->type == range->type && header->offset >= range->first_offset &&
           header->offset <= range->last_offset;
}

/* To the key behind the last; false when there is none. */
static bool step(struct btrfs_ioctl_search_key *key, const struct btrfs_ioctl_search_header *last)
{
    key->min_objectid = last->objectid;
    key->min_type = last->type;
    key->min_offset = last->offset + 1;
    if (key->min_offset != 0)
        return true;
    key->min_objectid++;
    return key->min_objectid != 0;
}

static int copy_item(void *context, const struct btrfs_item *item)
{
    const struct copy *copy = context;

    if (item->size < copy->size)
        return -EIO;
    memcpy(copy->data, item->data, copy->size);
    return 1;
}
