/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of pools' watermarks. */
#ifndef STORE_POOL_MARK_H
#define STORE_POOL_MARK_H

#include "store/db.h"

struct pool_mark {
    int64_t warn_percent;
    int64_t purge_percent;
    int64_t refuse_percent;
    int64_t level; /* how many of the marks were passed when somebody last looked */
};

/* 1 when the pool has a row, else 0 and *mark is left alone. */
int store_pool_mark_find(struct db *db, const char *pool_id, struct pool_mark *mark,
                         struct error *err);
int store_pool_mark_put(struct db *db, const char *pool_id, const struct pool_mark *mark,
                        struct error *err);

#endif
