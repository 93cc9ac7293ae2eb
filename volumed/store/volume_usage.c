/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of walks and of growth. */
#include "store/volume_usage.h"

struct walk_reader {
    struct arena *mem;
    struct walk_row *row;
};

static int read_walk(const struct row *row, void *context, struct error *err);
static int read_growth(const struct row *row, void *context, struct error *err);

int store_walk_find(struct db *db, struct arena *mem, const char *volume_id, struct walk_row *row,
                    struct error *err)
{
    struct walk_reader reader = { mem, row };

    return db_query(db,
                    "SELECT data_id, version, apparent_bytes, used_bytes, files, walked_ms"
                    " FROM volume_usage WHERE volume_id = ?",
                    ARGS(TEXT(volume_id)), read_walk, &reader, err);
}

/* A volume that went meanwhile has no row to be put. */
int store_walk_put(struct db *db, const char *volume_id, const struct walk_row *row,
                   struct error *err)
{
    int rc = db_exec(db,
                     "INSERT OR REPLACE INTO volume_usage (volume_id, data_id, version,"
                     " apparent_bytes, used_bytes, files, walked_ms)"
                     " SELECT id, ?2, ?3, ?4, ?5, ?6, ?7 FROM volume WHERE id = ?1",
                     ARGS(TEXT(volume_id), TEXT(row->data_id), I64(row->version),
                          I64(row->apparent_bytes), I64(row->used_bytes), I64(row->files),
                          I64(row->walked_ms)),
                     err);

    return rc < 0 ? -1 : 0;
}

int store_growth_find(struct db *db, const char *object, struct growth_row *row, struct error *err)
{
    return db_query(db,
                    "SELECT used_bytes, bytes_per_day, since_ms, sampled_ms FROM growth"
                    " WHERE object = ?",
                    ARGS(TEXT(object)), read_growth, row, err);
}

int store_growth_put(struct db *db, const char *object, const struct growth_row *row,
                     struct error *err)
{
    int rc = db_exec(db,
                     "INSERT OR REPLACE INTO growth"
                     " (object, used_bytes, bytes_per_day, since_ms, sampled_ms)"
                     " VALUES (?, ?, ?, ?, ?)",
                     ARGS(TEXT(object), I64(row->used_bytes), I64(row->bytes_per_day),
                          I64(row->since_ms), I64(row->sampled_ms)),
                     err);

    return rc < 0 ? -1 : 0;
}

int store_growth_forget(struct db *db, int64_t before_ms, struct error *err)
{
    return db_exec(db, "DELETE FROM growth WHERE sampled_ms < ?", ARGS(I64(before_ms)), err) < 0
               ? -1
               : 0;
}

static int read_walk(const struct row *row, void *context, struct error *err)
{
    const struct walk_reader *reader = context;

    (void)err;
    *reader->row = (struct walk_row){
        .data_id = row_text(row, 0, reader->mem),
        .version = row_i64(row, 1),
        .apparent_bytes = row_i64(row, 2),
        .used_bytes = row_i64(row, 3),
        .files = row_i64(row, 4),
        .walked_ms = row_i64(row, 5),
    };
    return 0;
}

static int read_growth(const struct row *row, void *context, struct error *err)
{
    struct growth_row *growth = context;

    (void)err;
    *growth = (struct growth_row){
        .used_bytes = row_i64(row, 0),
        .bytes_per_day = row_i64(row, 1),
        .since_ms = row_i64(row, 2),
        .sampled_ms = row_i64(row, 3),
    };
    return 0;
}
