/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool with a disk of its own keeps a file, POOL/meta/reserve, for the day it is full: a snapshot
 * needs room for its own records, and so does, on some filesystems, a removal.  It is given up when
 * one of these fails for want of space, and made again when there is enough.
 */
#ifndef CORE_POOL_RESERVE_H
#define CORE_POOL_RESERVE_H

#include "base/error.h"
#include "driver/driver.h"

/* driver->clone and driver->remove, tried again with the reserve's space. */
int pool_tree_clone(const struct driver_pool *pool, const struct driver_copy *copy,
                    struct error *err);
int pool_tree_remove(const struct driver_pool *pool, int dirfd, const char *name,
                     struct error *err);

/* Makes the reserve of a pool with a disk, unless it is there or the pool is short of space. */
int pool_reserve_make(const struct driver_pool *pool, struct error *err);

#endif
