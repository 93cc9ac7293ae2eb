/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of what was seen of volumes' and pools' sizes: the last walk, and how fast they grow. */
#ifndef STORE_VOLUME_USAGE_H
#define STORE_VOLUME_USAGE_H

#include "store/db.h"

/* What a walk through a volume found. */
struct walk_row {
    const char *data_id; /* the tree that was walked */
    int64_t version;     /* of the tree then, 0 where nothing counts versions */
    int64_t apparent_bytes;
    int64_t used_bytes;
    int64_t files;
    int64_t walked_ms;
};

/* 1 when there is one, else 0. */
int store_walk_find(struct db *db, struct arena *mem, const char *volume_id, struct walk_row *row,
                    struct error *err);
int store_walk_put(struct db *db, const char *volume_id, const struct walk_row *row,
                   struct error *err);

struct growth_row {
    int64_t used_bytes; /* the last sample */
    int64_t bytes_per_day;
    int64_t since_ms; /* of the first */
    int64_t sampled_ms;
};

/* 'object' is "volume:<id>" or "pool:<id>". */
int store_growth_find(struct db *db, const char *object, struct growth_row *row, struct error *err);
int store_growth_put(struct db *db, const char *object, const struct growth_row *row,
                     struct error *err);

/* Forgets objects that nobody has sampled since. */
int store_growth_forget(struct db *db, int64_t before_ms, struct error *err);

#endif
