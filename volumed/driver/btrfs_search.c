/* SPDX-License-Identifier: Apache-2.0 */
/* Descent and change, read out of btrfs's trees of roots, of UUIDs and of the subvolume itself. */
#include "driver/btrfs_search.h"

#include <endian.h>
#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdbool.h>
#include <string.h>

#include "base/sys.h"

struct visit {
    int (*each)(void *context, const struct btrfs_inode *inode);
    void *context;
    uint64_t since;
};

static int visit_inode(void *context, const struct btrfs_item *item);
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
    struct visit visit = { each, context, since };

    return btrfs_tree_each(fd,
                           &(struct btrfs_range){
                               .since = since,
                               .type = BTRFS_INODE_ITEM_KEY,
                               .first_object = BTRFS_FIRST_FREE_OBJECTID,
                               .last_object = BTRFS_LAST_FREE_OBJECTID,
                               .last_offset = UINT64_MAX,
                           },
                           visit_inode, &visit);
}

int btrfs_inode_read(const struct btrfs_item *item, struct btrfs_inode *inode)
{
    struct btrfs_inode_item stored;

    if (item->size < sizeof(stored))
        return -EINVAL;
    memcpy(&stored, item->data, sizeof(stored));
    *inode = (struct btrfs_inode){
        .number = item->object,
        .changed = le64toh(stored.transid),
        .links = le32toh(stored.nlink),
    };
    return 0;
}

/* The search leaves out whole blocks only: an inode may lie in a changed one without having
 * changed. */
static int visit_inode(void *context, const struct btrfs_item *item)
{
    const struct visit *visit = context;
    struct btrfs_inode inode;

    if (btrfs_inode_read(item, &inode) < 0 || inode.changed < visit->since)
        return 0;
    return visit->each(visit->context, &inode);
}

/* What a subvolume was cut from, and in which generation.  -ENOENT when it is no more. */
static int find_parent(int fd, const uint8_t uuid[16], uint8_t parent[16], uint64_t *cut)
{
    struct btrfs_root_item root;
    uint64_t id;
    int rc = btrfs_tree_get_first(fd,
                                  &(struct btrfs_range){
                                      .tree = BTRFS_UUID_TREE_OBJECTID,
                                      .type = BTRFS_UUID_KEY_SUBVOL,
                                      .first_object = read_le64(uuid),
                                      .first_offset = read_le64(uuid + 8),
                                  },
                                  &id, sizeof(id));

    if (rc <= 0)
        return rc < 0 ? rc : -ENOENT;
    rc = btrfs_tree_get_first(fd,
                              &(struct btrfs_range){
                                  .tree = BTRFS_ROOT_TREE_OBJECTID,
                                  .type = BTRFS_ROOT_ITEM_KEY,
                                  .first_object = le64toh(id),
                              },
                              &root, sizeof(root));
    if (rc <= 0)
        return rc < 0 && rc != -EIO ? rc : -ENOENT; /* a root of old times has no parent's name */
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
