/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of pools' watermarks. */
#include "store/pool_mark.h"

static int read_row(const struct row *row, void *context, struct error *err);

int store_pool_mark_find(struct db *db, const char *pool_id, struct pool_mark *mark,
                         struct error *err)
{
    return db_query(db,
                    "SELECT warn_percent, purge_percent, refuse_percent, level FROM pool_mark"
                    " WHERE pool_id = ?",
                    ARGS(TEXT(pool_id)), read_row, mark, err);
}

int store_pool_mark_put(struct db *db, const char *pool_id, const struct pool_mark *mark,
                        struct error *err)
{
    int rc = db_exec(db,
                     "INSERT OR REPLACE INTO pool_mark"
                     " (pool_id, warn_percent, purge_percent, refuse_percent, level)"
                     " VALUES (?, ?, ?, ?, ?)",
                     ARGS(TEXT(pool_id), I64(mark->warn_percent), I64(mark->purge_percent),
                          I64(mark->refuse_percent), I64(mark->level)),
                     err);

    return rc < 0 ? -1 : 0;
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct pool_mark *mark = context;

    (void)err;
    *mark = (struct pool_mark){
        .warn_percent = row_i64(row, 0),
        .purge_percent = row_i64(row, 1),
        .refuse_percent = row_i64(row, 2),
        .level = row_i64(row, 3),
    };
    return 0;
}
