/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of pools' disks. */
#include "store/pool_disk.h"

#define COLUMNS "pool_id, path, filesystem, is_device, size_bytes, max_bytes"

struct reader {
    struct arena *mem;
    struct pool_disk *items;
    size_t count;
    size_t capacity;
};

static int read_row(const struct row *row, void *context, struct error *err);

int store_pool_disk_insert(struct db *db, const struct pool_disk *disk, struct error *err)
{
    return db_exec(db, "INSERT INTO pool_disk (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?)",
                   ARGS(TEXT(disk->pool_id), TEXT(disk->path), TEXT(disk->filesystem),
                        I64(disk->is_device), I64(disk->size_bytes), I64(disk->max_bytes)),
                   err);
}

int store_pool_disk_find(struct db *db, struct arena *mem, const char *pool_id,
                         struct pool_disk *disk, struct error *err)
{
    struct reader reader = { .mem = mem, .items = disk, .capacity = 1 };

    return db_query(db, "SELECT " COLUMNS " FROM pool_disk WHERE pool_id = ?", ARGS(TEXT(pool_id)),
                    read_row, &reader, err);
}

int store_pool_disk_list(struct db *db, struct arena *mem, struct pool_disk **list,
                         struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db, "SELECT " COLUMNS " FROM pool_disk ORDER BY pool_id", NO_ARGS,
                         read_row, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_pool_disk_set_size(struct db *db, const char *pool_id, int64_t size_bytes,
                             int64_t max_bytes, struct error *err)
{
    int changed = db_exec(db,
                          "UPDATE pool_disk SET size_bytes = ?2,"
                          " max_bytes = CASE WHEN ?3 < 0 THEN max_bytes ELSE ?3 END"
                          " WHERE pool_id = ?1",
                          ARGS(TEXT(pool_id), I64(size_bytes), I64(max_bytes)), err);

    if (changed == 0)
        return fail(err, ERR_CONFLICT, "the pool was removed meanwhile");
    return changed < 0 ? -1 : 0;
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    (void)err;
    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    reader->items[reader->count++] = (struct pool_disk){
        .pool_id = row_text(row, 0, mem),
        .path = row_text(row, 1, mem),
        .filesystem = row_text(row, 2, mem),
        .is_device = row_bool(row, 3),
        .size_bytes = row_i64(row, 4),
        .max_bytes = row_i64(row, 5),
    };
    return 0;
}
