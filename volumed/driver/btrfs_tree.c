/* SPDX-License-Identifier: Apache-2.0 */
/* BTRFS_IOC_TREE_SEARCH_V2, one buffer at a time. */
#include "driver/btrfs_tree.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/arena.h"
#include "base/base.h"
#include "base/sys.h"

#define BUFFER_BYTES ((size_t)64 * 1024)
#define ITEMS_MAX    UINT32_C(0xffffffff)
#define TYPE_MAX     UINT32_C(0xff)

struct copy {
    void *data;
    size_t size;
};

static struct btrfs_ioctl_search_args_v2 *search_new(const struct btrfs_range *range);
static int search(int fd, struct btrfs_ioctl_search_args_v2 *args, struct btrfs_items *items);
static bool is_wanted(const struct btrfs_range *range, const struct btrfs_item *item);
static bool go_past(struct btrfs_ioctl_search_key *key, const struct btrfs_item *last);
static int get(int fd, struct btrfs_range range, void *data, size_t size);
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
    struct btrfs_ioctl_search_args_v2 *args = search_new(range);
    struct btrfs_items items;
    int rc = 0;

    while (rc == 0 && (rc = search(fd, args, &items)) > 0) {
        struct btrfs_item item = { 0 };
        rc = 0;
        while (rc == 0 && btrfs_items_next(&items, &item) > 0)
            if (is_wanted(range, &item))
                rc = each(context, &item);
        if (!go_past(&args->key, &item))
            break;
    }
    free(args);
    return rc;
}

int btrfs_tree_get(int fd, const struct btrfs_range *key, void *data, size_t size)
{
    struct btrfs_range one = *key;

    one.last_offset = one.first_offset;
    return get(fd, one, data, size);
}

int btrfs_tree_get_first(int fd, const struct btrfs_range *key, void *data, size_t size)
{
    struct btrfs_range any = *key;

    any.last_offset = UINT64_MAX;
    return get(fd, any, data, size);
}

int btrfs_items_next(struct btrfs_items *items, struct btrfs_item *item)
{
    struct btrfs_ioctl_search_header header;

    if (items->count == 0 || items->size - items->at < sizeof(header))
        return 0;
    memcpy(&header, items->data + items->at, sizeof(header));
    size_t at = items->at + sizeof(header);
    if (header.len > items->size - at)
        return 0;
    *item = (struct btrfs_item){
        .object = header.objectid,
        .offset = header.offset,
        .type = header.type,
        .data = items->data + at,
        .size = header.len,
    };
    items->at = at + header.len;
    items->count--;
    return 1;
}

static struct btrfs_ioctl_search_args_v2 *search_new(const struct btrfs_range *range)
{
    struct btrfs_ioctl_search_args_v2 *args = mem_alloc(sizeof(*args) + BUFFER_BYTES);

    *args = (struct btrfs_ioctl_search_args_v2){
        .key = {
            .tree_id = range->tree,
            .min_objectid = range->first_object,
            .max_objectid = range->last_object,
            .min_type = range->type,
            .max_type = range->type,
            .min_offset = range->first_offset,
            .max_offset = range->last_object == range->first_object ? range->last_offset
                                                                    : UINT64_MAX,
            .min_transid = range->since,
            .max_transid = UINT64_MAX,
        },
    };
    return args;
}

/* 1: there are items; 0: none. */
static int search(int fd, struct btrfs_ioctl_search_args_v2 *args, struct btrfs_items *items)
{
    args->key.nr_items = ITEMS_MAX;
    args->buf_size = BUFFER_BYTES;
    int rc = sys_ioctl(fd, BTRFS_IOC_TREE_SEARCH_V2, args);
    if (rc < 0)
        return rc;
    *items = (struct btrfs_items){
        .data = (const char *)args->buf,
        .size = BUFFER_BYTES,
        .count = args->key.nr_items,
    };
    return args->key.nr_items > 0;
}

/* The kernel compares whole keys, (object, type, offset), and not part by part. */
static bool is_wanted(const struct btrfs_range *range, const struct btrfs_item *item)
{
    return item->type == range->type && item->offset >= range->first_offset &&
           item->offset <= range->last_offset;
}

/* Sets the search to begin after the item; false when there is nothing after it. */
static bool go_past(struct btrfs_ioctl_search_key *key, const struct btrfs_item *last)
{
    key->min_objectid = last->object;
    key->min_type = last->type;
    key->min_offset = last->offset + 1;
    if (key->min_offset == 0)
        key->min_type++;
    if (key->min_type > TYPE_MAX) {
        key->min_type = 0;
        key->min_objectid++;
    }
    return key->min_objectid <= key->max_objectid && key->min_objectid != 0;
}

static int get(int fd, struct btrfs_range range, void *data, size_t size)
{
    struct copy copy = { data, size };

    range.last_object = range.first_object;
    return btrfs_tree_each(fd, &range, copy_item, &copy);
}

static int copy_item(void *context, const struct btrfs_item *item)
{
    const struct copy *copy = context;

    if (item->size < copy->size)
        return -EIO;
    memcpy(copy->data, item->data, copy->size);
    return 1;
}
