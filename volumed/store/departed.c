/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of what removed containers had. */
#include "store/departed.h"

struct reader {
    struct arena *mem;
    struct departed *items;
    size_t count;
    size_t capacity;
};

static int read_row(const struct row *row, void *context, struct error *err);

int store_departed_insert(struct db *db, const char *name, const struct departed *departed,
                          struct error *err)
{
    return db_exec(db,
                   "INSERT INTO departed (name, destination, volume_id, removed_ms)"
                   " VALUES (?, ?, ?, ?)",
                   ARGS(TEXT(name), TEXT(departed->destination), TEXT(departed->volume_id),
                        I64(departed->removed_ms)),
                   err) < 0
               ? -1
               : 0;
}

int store_departed_list(struct db *db, struct arena *mem, const char *name, int64_t since_ms,
                        struct departed **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db,
                         "SELECT destination, volume_id, removed_ms FROM departed"
                         " WHERE name = ? AND removed_ms >= ? ORDER BY destination",
                         ARGS(TEXT(name), I64(since_ms)), read_row, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_departed_forget(struct db *db, const char *name, int64_t before_ms, struct error *err)
{
    return db_exec(db, "DELETE FROM departed WHERE name = ? OR removed_ms < ?",
                   ARGS(TEXT(name), I64(before_ms)), err) < 0
               ? -1
               : 0;
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;

    (void)err;
    if (reader->count == reader->capacity)
        reader->items =
            arena_grow(reader->mem, reader->items, &reader->capacity, sizeof(*reader->items));
    reader->items[reader->count++] = (struct departed){
        .destination = row_text(row, 0, reader->mem),
        .volume_id = row_text(row, 1, reader->mem),
        .removed_ms = row_i64(row, 2),
    };
    return 0;
}
