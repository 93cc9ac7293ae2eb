/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes a directory a pool: pool.json and the directories beside it.  A pool whose identity is
 * absent or another's is refused, so that a disk that is not mounted never looks like an empty
 * pool.
 */
#ifndef CORE_POOL_IDENTITY_H
#define CORE_POOL_IDENTITY_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "driver/driver.h"
#include "model/volume.h"

#define POOL_FORMAT 1

/*
 * Turns the directory 'fd' into the pool: directories, then pool.json.  Durable on return. CONFLICT
 * when something else is in it; a pool that never got its row and holds nothing may be replaced.
 */
int pool_identity_write(struct arena *mem, int fd, const struct pool *pool, struct error *err);

/*
 * Reads who the pool in the directory 'fd' is: id, driver, time.  CONFLICT when there is none, or
 * one of a newer format.
 */
int pool_identity_read(struct arena *mem, int fd, struct pool *pool, struct error *err);

/* Takes back what pool_identity_write did, as far as nothing lies in it. */
void pool_identity_remove(int fd);

/*
 * Opens the pool at its path: 'open' gets descriptors, which are the caller's to close, and borrows
 * the texts of 'pool'.  CONFLICT, with the reason, when the identity is not the row's.
 */
int pool_identity_open(struct arena *mem, const struct pool *pool, struct driver_pool *open,
                       struct error *err);
void pool_identity_close(struct driver_pool *open);

/*
 * Lets the descriptors of an open pool name a directory that is no more (made and removed in
 * 'tmp_fd'), so that its filesystem can be unmounted while others may still use them.
 */
int pool_identity_divert(struct driver_pool *open, int tmp_fd, struct error *err);

#endif
