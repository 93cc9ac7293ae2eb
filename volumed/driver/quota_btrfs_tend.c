/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upkeep of qgroups: counting anew when the kernel gave up counting (it does, when it drops a large
 * tree), gathering the subvolumes that containers made inside a limited one, and removing groups
 * whose subvolume is gone, as kernels before 6.10 leave them.
 */
#include <endian.h>
#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/sys.h"
#include "driver/btrfs_tree.h"
#include "driver/quota_btrfs.h"

struct group {
    uint64_t id;
    uint64_t size_bytes; /* its limit, 0: none */
    uint64_t referenced_bytes;
};

struct groups {
    struct group *items;
    size_t count;
    size_t capacity;
};

struct ids {
    uint64_t *items;
    size_t count;
    size_t capacity;
};

static void groups_done(struct groups *groups);
static void ids_done(struct ids *ids);
static int list_groups(int fd, struct groups *groups);
static int add_group(void *context, const struct btrfs_item *item);
static int add_limit(void *context, const struct btrfs_item *item);
static struct group *find_group(const struct groups *groups, uint64_t id);
static int tend_group(int fd, const struct group *group);
static int gather(int fd, const struct group *group);
static int list_nested(int fd, uint64_t id, struct ids *ids);
static int add_id(void *context, const struct btrfs_item *item);
static int join(int fd, uint64_t member, uint64_t group);
static int remove_stale(int fd, const struct group *group);
static int has_subvolume(int fd, uint64_t id);
static int stop(void *context, const struct btrfs_item *item);
static int count_anew(int fd);

int quota_btrfs_tend(const struct driver_pool *pool, struct error *err)
{
    CLEANUP(groups_done) struct groups groups = { 0 };
    uint64_t flags = 0;
    int rc = quota_btrfs_flags(pool->fd, &flags);

    if (rc >= 0 && flags == 0)
        return 0;
    if (rc >= 0)
        rc = list_groups(pool->fd, &groups);
    for (size_t i = 0; rc >= 0 && i < groups.count; i++)
        rc = tend_group(pool->fd, &groups.items[i]);
    if (rc >= 0)
        rc = count_anew(pool->fd);
    return rc < 0 ? fail_sys(err, rc, "cannot tend the quotas of pool '%s'", pool->name) : 0;
}

static void groups_done(struct groups *groups)
{
    free(groups->items);
}

static void ids_done(struct ids *ids)
{
    free(ids->items);
}

/* First all that count, then their limits. */
static int list_groups(int fd, struct groups *groups)
{
    struct btrfs_range range = {
        .tree = BTRFS_QUOTA_TREE_OBJECTID,
        .type = BTRFS_QGROUP_INFO_KEY,
        .last_offset = UINT64_MAX,
    };
    int rc = btrfs_tree_each(fd, &range, add_group, groups);

    range.type = BTRFS_QGROUP_LIMIT_KEY;
    return rc < 0 ? rc : btrfs_tree_each(fd, &range, add_limit, groups);
}

static int add_group(void *context, const struct btrfs_item *item)
{
    struct groups *groups = context;
    const struct btrfs_qgroup_info_item *info = item->data; /* packed: any address will do */

    if (groups->count == groups->capacity) {
        size_t capacity = groups->capacity == 0 ? 64 : groups->capacity * 2;
        groups->items = mem_grow(groups->items, capacity * sizeof(*groups->items));
        groups->capacity = capacity;
    }
    groups->items[groups->count++] = (struct group){
        .id = item->offset,
        .referenced_bytes = le64toh(info->rfer),
    };
    return 0;
}

static int add_limit(void *context, const struct btrfs_item *item)
{
    struct group *group = find_group(context, item->offset);
    const struct btrfs_qgroup_limit_item *limit = item->data;

    if (group != NULL && (le64toh(limit->flags) & BTRFS_QGROUP_LIMIT_MAX_RFER) != 0)
        group->size_bytes = le64toh(limit->max_rfer);
    return 0;
}

/* They came in the order of their ids. */
static struct group *find_group(const struct groups *groups, uint64_t id)
{
    size_t low = 0;
    size_t high = groups->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (groups->items[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < groups->count && groups->items[low].id == id ? &groups->items[low] : NULL;
}

static int tend_group(int fd, const struct group *group)
{
    uint64_t level = group->id >> 48;

    if (level != 0 && level != QUOTA_BTRFS_LEVEL)
        return 0;
    int is_alive = has_subvolume(fd, group->id & ~(0xFFFFULL << 48));
    if (is_alive < 0)
        return is_alive;
    if (is_alive == 0)
        return remove_stale(fd, group);
    return level == 0 && group->size_bytes > 0 ? gather(fd, group) : 0;
}

static int gather(int fd, const struct group *group)
{
    CLEANUP(ids_done) struct ids nested = { 0 };
    uint64_t gathering = QUOTA_BTRFS_GROUP(group->id);
    int rc = list_nested(fd, group->id, &nested);

    for (size_t i = 0; rc >= 0 && i < nested.count; i++) /* theirs, too: the list grows */
        rc = list_nested(fd, nested.items[i], &nested);
    if (rc < 0 || nested.count == 0)
        return rc;
    rc = quota_btrfs_has_group(fd, gathering);
    if (rc == 0)
        rc = quota_btrfs_make_group(fd, gathering, true);
    if (rc >= 0)
        rc = quota_btrfs_limit_group(fd, gathering, (int64_t)group->size_bytes);
    if (rc >= 0)
        rc = join(fd, group->id, gathering);
    for (size_t i = 0; rc >= 0 && i < nested.count; i++)
        rc = join(fd, nested.items[i], gathering);
    return rc;
}

static int list_nested(int fd, uint64_t id, struct ids *ids)
{
    const struct btrfs_range range = {
        .tree = BTRFS_ROOT_TREE_OBJECTID,
        .type = BTRFS_ROOT_REF_KEY,
        .first_object = id,
        .last_object = id,
        .last_offset = UINT64_MAX,
    };

    return btrfs_tree_each(fd, &range, add_id, ids);
}

static int add_id(void *context, const struct btrfs_item *item)
{
    struct ids *ids = context;

    if (ids->count == ids->capacity) {
        size_t capacity = ids->capacity == 0 ? 16 : ids->capacity * 2;
        ids->items = mem_grow(ids->items, capacity * sizeof(*ids->items));
        ids->capacity = capacity;
    }
    ids->items[ids->count++] = item->offset;
    return 0;
}

/* ENOENT: the member went meanwhile. */
static int join(int fd, uint64_t member, uint64_t group)
{
    struct btrfs_ioctl_qgroup_assign_args args = { .assign = 1, .src = member, .dst = group };
    const struct btrfs_range relation = {
        .tree = BTRFS_QUOTA_TREE_OBJECTID,
        .type = BTRFS_QGROUP_RELATION_KEY,
        .first_object = member,
        .first_offset = group,
    };
    char nothing;
    int rc = btrfs_tree_get(fd, &relation, &nothing, 0);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = sys_ioctl(fd, BTRFS_IOC_QGROUP_ASSIGN, &args);
    return rc == -ENOENT || rc == -EEXIST ? 0 : rc;
}

/* The kernel knows best whether a group is still needed: then it is BUSY. */
static int remove_stale(int fd, const struct group *group)
{
    if (group->referenced_bytes > 0 && group->id >> 48 == 0)
        return 0;
    int rc = quota_btrfs_make_group(fd, group->id, false);
    return rc == -EBUSY || rc == -ENOENT ? 0 : rc;
}

static int has_subvolume(int fd, uint64_t id)
{
    const struct btrfs_range range = {
        .tree = BTRFS_ROOT_TREE_OBJECTID,
        .type = BTRFS_ROOT_ITEM_KEY,
        .first_object = id,
        .last_object = id,
        .last_offset = UINT64_MAX,
    };

    return btrfs_tree_each(fd, &range, stop, NULL);
}

static int stop(void *context, const struct btrfs_item *item)
{
    (void)context;
    (void)item;
    return 1;
}

static int count_anew(int fd)
{
    struct btrfs_ioctl_quota_rescan_args args = { 0 };
    uint64_t flags = 0;
    int rc = quota_btrfs_flags(fd, &flags);

    if (rc < 0 || (flags & BTRFS_QGROUP_STATUS_FLAG_INCONSISTENT) == 0 ||
        (flags & BTRFS_QGROUP_STATUS_FLAG_RESCAN) != 0)
        return rc;
    rc = sys_ioctl(fd, BTRFS_IOC_QUOTA_RESCAN, &args);
    return rc == -EINPROGRESS ? 0 : rc;
}
