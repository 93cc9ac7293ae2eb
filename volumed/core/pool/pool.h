/* SPDX-License-Identifier: Apache-2.0 */
/* Pools: where volumes lie.  A pool is opened once, when its identity file has proved that it is
 * there. */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/volume.h"

struct pools;
struct driver_pool; /* driver/driver.h: an open pool as drivers see it */

/* Opens every pool that has a row; one that cannot be opened is logged and refused on use. */
struct pools *pools_open(struct task *task, struct error *err);
void pools_close(struct pools *pools);

/*
 * At the first start: makes STATE/pools/default, of the kind that the operator chose (service.h).
 * One that lies there already, because the database was lost, is adopted.
 */
int pool_make_default(struct task *task, struct error *err);

/* Makes a pool of a directory: fills in what 'pool' lacks of id, driver and time. */
int pool_make(struct task *task, struct pool *pool, struct error *err);

/* driver NULL: probe.  The path must exist and be empty, or not exist with an existing parent. */
int pool_create(struct task *task, const char *name, const char *path, const char *driver,
                struct pool *pool, struct error *err);
int pool_get(struct task *task, const char *ref, struct pool *pool, struct error *err);
int pool_list(struct task *task, struct pool **list, struct error *err);

/* Only an empty pool.  Its directory stays; the image of one with a disk of its own goes. */
int pool_remove(struct task *task, const char *ref, struct error *err);

/* The open pool of an id; CONFLICT with the reason when it could not be opened. */
int pool_open(struct task *task, const char *pool_id, const struct driver_pool **open,
              struct error *err);

/*
 * Closes an open pool whose disk is to go.  Who holds it still finds its directories deleted, and
 * fails as with any pool that is no more.
 */
int pool_retire(struct task *task, const char *pool_id, struct error *err);

/* Fills err with CONFLICT, and why the pool is not empty. */
int pool_fail_not_empty(struct task *task, const struct pool *pool, struct error *err);

/* In a transaction: writes the event. */
int pool_event(struct task *task, const char *action, const struct pool *pool, struct error *err);

struct pool_space {
    int64_t size_bytes;
    int64_t free_bytes;
};

int pool_space(struct task *task, const char *pool_id, struct pool_space *space, struct error *err);

/* What a snapshot or a clone of a volume in it costs. */
int pool_clone_cost(struct task *task, const char *pool_id, enum cost *cost, struct error *err);

#endif
