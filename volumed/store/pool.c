/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of pools. */
#include "store/pool.h"

#include <string.h>

#define COLUMNS "id, name, driver, path, is_default, created_ms"

struct reader {
    struct arena *mem;
    struct pool *items;
    size_t count;
    size_t capacity;
};

static int read_row(const struct row *row, void *context, struct error *err);

int store_pool_insert(struct db *db, const struct pool *pool, struct error *err)
{
    return db_exec(db,
                   "INSERT INTO pool (id, name, driver, path, is_default, created_ms)"
                   " VALUES (?, ?, ?, ?, ?, ?)",
                   ARGS(TEXT(pool->id), TEXT(pool->name), TEXT(pool->driver), TEXT(pool->path),
                        I64(pool->is_default), I64(pool->created_ms)),
                   err);
}

int store_pool_find(struct db *db, struct arena *mem, const char *ref, struct pool *pool,
                    struct error *err)
{
    struct reader reader = { .mem = mem, .items = pool, .capacity = 1 };

    return db_query(db,
                    "SELECT " COLUMNS " FROM pool WHERE name = ?1 OR id = ?1"
                    " ORDER BY name = ?1 DESC LIMIT 1",
                    ARGS(TEXT(ref)), read_row, &reader, err);
}

int store_pool_find_default(struct db *db, struct arena *mem, struct pool *pool, struct error *err)
{
    struct reader reader = { .mem = mem, .items = pool, .capacity = 1 };

    return db_query(db, "SELECT " COLUMNS " FROM pool WHERE is_default = 1", NO_ARGS, read_row,
                    &reader, err);
}

int store_pool_list(struct db *db, struct arena *mem, struct pool **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count =
        db_query(db, "SELECT " COLUMNS " FROM pool ORDER BY name", NO_ARGS, read_row, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_pool_delete(struct db *db, const char *id, struct error *err)
{
    return db_exec(db, "DELETE FROM pool WHERE id = ?", ARGS(TEXT(id)), err) < 0 ? -1 : 0;
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    (void)err;
    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    reader->items[reader->count++] = (struct pool){
        .id = row_text(row, 0, mem),
        .name = row_text(row, 1, mem),
        .driver = row_text(row, 2, mem),
        .path = row_text(row, 3, mem),
        .is_default = row_bool(row, 4),
        .created_ms = row_i64(row, 5),
    };
    return 0;
}
