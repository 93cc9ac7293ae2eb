/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of pools. */
#ifndef STORE_POOL_H
#define STORE_POOL_H

#include "model/volume.h"
#include "store/db.h"

/* EXISTS: the name or the path is taken. */
int store_pool_insert(struct db *db, const struct pool *pool, struct error *err);

/* By name, else by id.  Returns how many were found (0 or 1). */
int store_pool_find(struct db *db, struct arena *mem, const char *ref, struct pool *pool,
                    struct error *err);

/* Returns how many were found (0 or 1). */
int store_pool_find_default(struct db *db, struct arena *mem, struct pool *pool, struct error *err);

/* By name.  Returns the count. */
int store_pool_list(struct db *db, struct arena *mem, struct pool **list, struct error *err);

/* CONFLICT while volumes or snapshots lie in it. */
int store_pool_delete(struct db *db, const char *id, struct error *err);

#endif
