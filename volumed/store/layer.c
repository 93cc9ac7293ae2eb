/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of layers. */
#include "store/layer.h"

#include <string.h>

#define COLUMNS "chain_id, diff_id, parent, dir_id, size_bytes, archive_bytes, created_ms"

struct reader {
    struct arena *mem;
    struct layer *items;
    size_t count;
    size_t capacity;
};

static int read_row(const struct row *row, void *context, struct error *err);
static int query(struct db *db, struct arena *mem, const char *sql, struct layer **list,
                 struct error *err);

int store_layer_insert(struct db *db, const struct layer *layer, struct error *err)
{
    return db_exec(db, "INSERT INTO layer (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)",
                   ARGS(TEXT(layer->chain_id), TEXT(layer->diff_id), TEXT(layer->parent),
                        TEXT(layer->dir_id), I64(layer->size_bytes), I64(layer->archive_bytes),
                        I64(layer->created_ms)),
                   err);
}

int store_layer_find(struct db *db, struct arena *mem, const char *chain_id, struct layer *layer,
                     struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db, "SELECT " COLUMNS " FROM layer WHERE chain_id = ?",
                         ARGS(TEXT(chain_id)), read_row, &reader, err);

    if (count > 0)
        *layer = reader.items[0];
    return count;
}

int store_layer_chain(struct db *db, struct arena *mem, const char *chain_id, struct layer **list,
                      struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db,
                         "WITH RECURSIVE chain (id, depth) AS (VALUES (?, 0) UNION ALL"
                         " SELECT layer.parent, depth + 1 FROM chain JOIN layer ON chain_id = id"
                         " WHERE layer.parent IS NOT NULL)"
                         " SELECT " COLUMNS " FROM chain JOIN layer ON chain_id = id"
                         " ORDER BY depth",
                         ARGS(TEXT(chain_id)), read_row, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_layer_list_unused(struct db *db, struct arena *mem, struct layer **list,
                            struct error *err)
{
    return query(db, mem,
                 "SELECT " COLUMNS " FROM layer AS l"
                 " WHERE NOT EXISTS (SELECT 1 FROM layer WHERE parent = l.chain_id)"
                 " AND NOT EXISTS (SELECT 1 FROM image WHERE chain_id = l.chain_id)"
                 " AND NOT EXISTS (SELECT 1 FROM container WHERE chain_id = l.chain_id)",
                 list, err);
}

int store_layer_list(struct db *db, struct arena *mem, struct layer **list, struct error *err)
{
    return query(db, mem, "SELECT " COLUMNS " FROM layer ORDER BY created_ms", list, err);
}

int store_layer_delete(struct db *db, const char *chain_id, struct error *err)
{
    return db_exec(db, "DELETE FROM layer WHERE chain_id = ?", ARGS(TEXT(chain_id)), err);
}

static int query(struct db *db, struct arena *mem, const char *sql, struct layer **list,
                 struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db, sql, NO_ARGS, read_row, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;

    (void)err; /* nothing here can fail */
    if (reader->count == reader->capacity) {
        size_t capacity = reader->capacity > 0 ? 2 * reader->capacity : 16;
        struct layer *items = arena_array(reader->mem, capacity, sizeof(*items));
        if (reader->count > 0)
            memcpy(items, reader->items, reader->count * sizeof(*items));
        reader->items = items;
        reader->capacity = capacity;
    }
    reader->items[reader->count++] = (struct layer){
        .chain_id = row_text(row, 0, reader->mem),
        .diff_id = row_text(row, 1, reader->mem),
        .parent = row_text(row, 2, reader->mem),
        .dir_id = row_text(row, 3, reader->mem),
        .size_bytes = row_i64(row, 4),
        .archive_bytes = row_i64(row, 5),
        .created_ms = row_i64(row, 6),
    };
    return 0;
}
