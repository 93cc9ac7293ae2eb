/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of pools' disks. */
#ifndef STORE_POOL_DISK_H
#define STORE_POOL_DISK_H

#include "model/pool_disk.h"
#include "store/db.h"

/* EXISTS: the image or the device is another pool's. */
int store_pool_disk_insert(struct db *db, const struct pool_disk *disk, struct error *err);

/* Returns how many were found (0 or 1). */
int store_pool_disk_find(struct db *db, struct arena *mem, const char *pool_id,
                         struct pool_disk *disk, struct error *err);

/* Returns the count. */
int store_pool_disk_list(struct db *db, struct arena *mem, struct pool_disk **list,
                         struct error *err);

/* max_bytes is left where it is negative.  CONFLICT when the pool is no more. */
int store_pool_disk_set_size(struct db *db, const char *pool_id, int64_t size_bytes,
                             int64_t max_bytes, struct error *err);

#endif
