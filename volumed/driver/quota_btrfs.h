/* SPDX-License-Identifier: Apache-2.0 */
/* Limits and usage of subvolumes, by qgroups.  Members of the btrfs driver. */
#ifndef DRIVER_QUOTA_BTRFS_H
#define DRIVER_QUOTA_BTRFS_H

#include "driver/driver.h"

int quota_btrfs_check(const struct driver_pool *pool, const struct driver_limit *limit,
                      struct error *err);
int quota_btrfs_set(const struct driver_pool *pool, int fd, const struct driver_limit *limit,
                    struct error *err);
int quota_btrfs_get(const struct driver_pool *pool, int fd, struct driver_limit *limit,
                    struct error *err);
int quota_btrfs_usage(const struct driver_pool *pool, int fd, bool is_fresh,
                      struct driver_usage *usage, struct error *err);
int quota_btrfs_version(int fd, bool is_fresh, int64_t *version, struct error *err);
int quota_btrfs_settle(const struct driver_pool *pool, int64_t deadline_ms, struct error *err);
int quota_btrfs_tend(const struct driver_pool *pool, struct error *err);

/*
 * --- shared by quota_btrfs.c and quota_btrfs_tend.c ---
 *
 * The group of a subvolume and of those that containers made inside it: there when there are any.
 * A level of our own, so that an administrator's groups are left alone.
 */
#define QUOTA_BTRFS_LEVEL    1000
#define QUOTA_BTRFS_GROUP(n) (((uint64_t)QUOTA_BTRFS_LEVEL << 48) | (n))

/* The status item's flags; 0 when quotas are off. */
int quota_btrfs_flags(int fd, uint64_t *flags);

/* True when there is a group of this id. */
int quota_btrfs_has_group(int fd, uint64_t group);
int quota_btrfs_make_group(int fd, uint64_t group, bool is_made);

/* size_bytes 0: no limit. */
int quota_btrfs_limit_group(int fd, uint64_t group, int64_t size_bytes);

#endif
