/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TREE_SEARCH_V2 and what it returns: headers and items in one buffer, packed and little-endian.
 * Nothing in it is taken on trust: lengths are checked, fields copied.
 */
#include "driver/btrfs_search.h"

#include <endian.h>
#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/base.h"
#include "base/sys.h"

#define BUFFER_BYTES ((size_t)64 * 1024)
#define ITEMS_MAX    UINT32_C(0xffffffff)

static struct btrfs_ioctl_search_args_v2 *search_new(uint64_t tree, uint64_t since);
static int search(int fd, struct btrfs_ioctl_search_args_v2 *args, struct btrfs_items *items);
static bool go_past(struct btrfs_ioctl_search_key *key, const struct btrfs_item *last);
static int find_item(int fd, uint64_t tree, const struct btrfs_item *wanted, void *data,
                     size_t size);
static int find_parent(int fd, const uint8_t uuid[16], uint8_t parent[16], uint64_t *cut);
static uint64_t read_le64(const void *data);
static bool uuid_is_zero(const uint8_t uuid[16]);

int btrfs_ancestors(int fd, struct btrfs_ancestor list[BTRFS_ANCESTORS_MAX])
{
    struct btrfs_ioctl_get_subvol_info_args info = { 0 };
    uint8_t parent[16];
    uint64_t cut;
    int count = 1;
    int rc = sys_ioctl(fd, BTRFS_IOC_GET_SUBVOL_INFO, &info);

    if (rc < 0)
        return rc;
    memcpy(list[0].uuid, info.uuid, sizeof(info.uuid));
    list[0].until = UINT64_MAX;
    memcpy(parent, info.parent_uuid, sizeof(parent));
    cut = info.otransid;
    while (count < BTRFS_ANCESTORS_MAX && !uuid_is_zero(parent)) {
        memcpy(list[count].uuid, parent, sizeof(parent));
        list[count++].until = cut;
        rc = find_parent(fd, list[count - 1].uuid, parent, &cut);
        if (rc < 0)
            return rc == -ENOENT ? count : rc; /* removed: nobody knows what it came from */
    }
    return count;
}

int btrfs_changed_inodes(int fd, uint64_t since,
                         int (*each)(void *context, const struct btrfs_inode *inode), void *context)
{
    struct btrfs_ioctl_search_args_v2 *args = search_new(0, since);
    struct btrfs_items items;
    struct btrfs_inode inode;
    int rc = 0;

    args->key.min_objectid = BTRFS_FIRST_FREE_OBJECTID;
    args->key.max_objectid = BTRFS_LAST_FREE_OBJECTID;
    while (rc == 0 && (rc = search(fd, args, &items)) > 0) {
        struct btrfs_item item = { 0 };
        rc = 0;
        while (rc == 0 && btrfs_items_next(&items, &item) > 0)
            if (item.type == BTRFS_INODE_ITEM_KEY && btrfs_inode_read(&item, &inode) == 0 &&
                inode.changed >= since)
                rc = each(context, &inode);
        if (!go_past(&args->key, &item))
            break;
    }
    free(args);
    return rc;
}

int btrfs_items_next(struct btrfs_items *items, struct btrfs_item *item)
{
    struct btrfs_ioctl_search_header header;

    if (items->size - items->at < sizeof(header))
        return 0;
    memcpy(&header, items->data + items->at, sizeof(header));
    size_t at = items->at + sizeof(header);
    if (header.len > items->size - at)
        return 0;
    *item = (struct btrfs_item){
        .id = header.objectid,
        .offset = header.offset,
        .type = header.type,
        .data = items->data + at,
        .size = header.len,
    };
    items->at = at + header.len;
    return 1;
}

int btrfs_inode_read(const struct btrfs_item *item, struct btrfs_inode *inode)
{
    struct btrfs_inode_item stored;

    if (item->size < sizeof(stored))
        return -EINVAL;
    memcpy(&stored, item->data, sizeof(stored));
    *inode = (struct btrfs_inode){
        .number = item->id,
        .changed = le64toh(stored.transid),
        .links = le32toh(stored.nlink),
    };
    return 0;
}

/* All keys of a tree; to be narrowed. */
static struct btrfs_ioctl_search_args_v2 *search_new(uint64_t tree, uint64_t since)
{
    struct btrfs_ioctl_search_args_v2 *args = mem_alloc(sizeof(*args) + BUFFER_BYTES);

    *args = (struct btrfs_ioctl_search_args_v2){
        .key = {
            .tree_id = tree,
            .max_objectid = UINT64_MAX,
            .max_offset = UINT64_MAX,
            .max_type = 0xff,
            .min_transid = since,
            .max_transid = UINT64_MAX,
        },
        .buf_size = BUFFER_BYTES,
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
    *items = (struct btrfs_items){ .data = (const char *)args->buf, .size = BUFFER_BYTES };
    return args->key.nr_items > 0;
}

/* Sets the search to begin after the item; false when there is nothing after it. */
static bool go_past(struct btrfs_ioctl_search_key *key, const struct btrfs_item *last)
{
    key->min_objectid = last->id;
    key->min_type = last->type;
    key->min_offset = last->offset + 1;
    if (key->min_offset == 0)
        key->min_type++;
    if (key->min_type > 0xff) {
        key->min_type = 0;
        key->min_objectid++;
    }
    return key->min_objectid <= key->max_objectid && key->min_objectid != 0;
}

/* The first item of the wanted id and type, from the wanted offset on: its first 'size' bytes. */
static int find_item(int fd, uint64_t tree, const struct btrfs_item *wanted, void *data,
                     size_t size)
{
    struct btrfs_ioctl_search_args_v2 *args = search_new(tree, 0);
    struct btrfs_items items;
    struct btrfs_item item = { 0 };

    args->key.min_objectid = args->key.max_objectid = wanted->id;
    args->key.min_type = args->key.max_type = wanted->type;
    args->key.min_offset = wanted->offset;
    int rc = search(fd, args, &items);
    if (rc > 0)
        rc = btrfs_items_next(&items, &item);
    if (rc == 0 || (rc > 0 && (item.size < size || item.type != wanted->type)))
        rc = -ENOENT;
    if (rc > 0)
        memcpy(data, item.data, size);
    free(args);
    return rc < 0 ? rc : 0;
}

/* What a subvolume was cut from, and in which generation.  -ENOENT when it is no more. */
static int find_parent(int fd, const uint8_t uuid[16], uint8_t parent[16], uint64_t *cut)
{
    struct btrfs_root_item root;
    uint64_t id;
    struct btrfs_item wanted = {
        .id = read_le64(uuid),
        .type = BTRFS_UUID_KEY_SUBVOL,
        .offset = read_le64(uuid + 8),
    };
    int rc = find_item(fd, BTRFS_UUID_TREE_OBJECTID, &wanted, &id, sizeof(id));

    if (rc < 0)
        return rc;
    wanted = (struct btrfs_item){ .id = le64toh(id), .type = BTRFS_ROOT_ITEM_KEY };
    rc = find_item(fd, BTRFS_ROOT_TREE_OBJECTID, &wanted, &root, sizeof(root));
    if (rc < 0)
        return rc;
    memcpy(parent, root.parent_uuid, sizeof(root.parent_uuid));
    *cut = le64toh(root.otransid);
    return 0;
}

static uint64_t read_le64(const void *data)
{
    uint64_t value;

    memcpy(&value, data, sizeof(value));
    return le64toh(value);
}

static bool uuid_is_zero(const uint8_t uuid[16])
{
    static const uint8_t zero[16];

    return memcmp(uuid, zero, sizeof(zero)) == 0;
}
