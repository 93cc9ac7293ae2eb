/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the trash. */
#include "store/trash.h"

#define COLUMNS                                                                                 \
    "t.id, t.kind, t.name, t.pool_id, p.name, coalesce(v.data_id, s.id), s.volume_id, t.actor," \
    " t.removed_ms, t.expires_ms,"                                                              \
    " (SELECT count(*) FROM snapshot WHERE volume_id = t.id AND state = 'ready')"               \
    " FROM trash t JOIN pool p ON p.id = t.pool_id LEFT JOIN volume v ON v.id = t.id"           \
    " LEFT JOIN snapshot s ON s.id = t.id"

/* The name of what has none: no name that anybody can give has a colon. */
#define NO_NAME "'trash:' || id"

struct reader {
    struct arena *mem;
    struct trash_entry *items;
    size_t count;
    size_t capacity;
};

static int must_change(int changed, struct error *err);
static int delete_volume(struct db *db, const char *id, struct error *err);
static int read_row(const struct row *row, void *context, struct error *err);

int store_trash_put(struct db *db, const struct trash_entry *entry, struct error *err)
{
    const char *sql = trash_entry_is_volume(entry)
                          ? "UPDATE volume SET state = 'removing', name = " NO_NAME
                            " WHERE id = ? AND state = 'ready'"
                          : "UPDATE snapshot SET state = 'removing', name = " NO_NAME
                            " WHERE id = ? AND state = 'ready'";

    if (must_change(db_exec(db, sql, ARGS(TEXT(entry->id)), err), err) < 0)
        return -1;
    return db_exec(db,
                   "INSERT INTO trash (id, kind, name, pool_id, actor, removed_ms, expires_ms)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?)",
                   ARGS(TEXT(entry->id), TEXT(entry->kind), TEXT(entry->name), TEXT(entry->pool_id),
                        TEXT(entry->actor), I64(entry->removed_ms), I64(entry->expires_ms)),
                   err);
}

int store_trash_restore(struct db *db, const struct trash_entry *entry, const char *name,
                        struct error *err)
{
    const char *sql = trash_entry_is_volume(entry) ? "UPDATE volume SET state = 'ready', name = ?"
                                                     " WHERE id = ? AND state = 'removing'"
                                                   : "UPDATE snapshot SET state = 'ready', name = ?"
                                                     " WHERE id = ? AND state = 'removing'";

    if (must_change(db_exec(db, sql, ARGS(TEXT(name), TEXT(entry->id)), err), err) < 0)
        return -1;
    return must_change(db_exec(db, "DELETE FROM trash WHERE id = ?", ARGS(TEXT(entry->id)), err),
                       err);
}

int store_trash_delete(struct db *db, const struct trash_entry *entry, struct error *err)
{
    if (must_change(db_exec(db, "DELETE FROM trash WHERE id = ?", ARGS(TEXT(entry->id)), err),
                    err) < 0)
        return -1;
    if (trash_entry_is_volume(entry))
        return delete_volume(db, entry->id, err);
    return must_change(db_exec(db, "DELETE FROM snapshot WHERE id = ? AND state = 'removing'",
                               ARGS(TEXT(entry->id)), err),
                       err);
}

int store_trash_find(struct db *db, struct arena *mem, const char *ref, struct trash_entry *entry,
                     struct error *err)
{
    struct reader reader = { .mem = mem, .items = entry, .capacity = 1 };

    return db_query(db,
                    "SELECT " COLUMNS " WHERE t.id = ?1 OR t.name = ?1"
                    " ORDER BY t.id = ?1 DESC, t.removed_ms DESC, t.id DESC LIMIT 1",
                    ARGS(TEXT(ref)), read_row, &reader, err);
}

int store_trash_list(struct db *db, struct arena *mem, const char *pool_id,
                     struct trash_entry **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db,
                         "SELECT " COLUMNS " WHERE ?1 IS NULL OR t.pool_id = ?1"
                         " ORDER BY t.removed_ms, t.id",
                         ARGS(TEXT(pool_id)), read_row, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_trash_next(struct db *db, int64_t *expires_ms, struct error *err)
{
    return db_query_i64(db, "SELECT min(expires_ms) FROM trash", NO_ARGS, expires_ms, err);
}

/* Snapshots that were removed before it are in the trash by themselves. */
static int delete_volume(struct db *db, const char *id, struct error *err)
{
    if (db_exec(db, "DELETE FROM trash WHERE id IN (SELECT id FROM snapshot WHERE volume_id = ?)",
                ARGS(TEXT(id)), err) < 0 ||
        db_exec(db, "DELETE FROM snapshot WHERE volume_id = ?", ARGS(TEXT(id)), err) < 0)
        return -1;
    return must_change(
        db_exec(db, "DELETE FROM volume WHERE id = ? AND state = 'removing'", ARGS(TEXT(id)), err),
        err);
}

static int must_change(int changed, struct error *err)
{
    if (changed == 0)
        return fail(err, ERR_CONFLICT, "it was removed, restored or purged meanwhile");
    return changed < 0 ? -1 : 0;
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    (void)err;
    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    reader->items[reader->count++] = (struct trash_entry){
        .id = row_text(row, 0, mem),
        .kind = row_text(row, 1, mem),
        .name = row_text(row, 2, mem),
        .pool_id = row_text(row, 3, mem),
        .pool_name = row_text(row, 4, mem),
        .data_id = row_text(row, 5, mem),
        .volume_id = row_text(row, 6, mem),
        .actor = row_text(row, 7, mem),
        .removed_ms = row_i64(row, 8),
        .expires_ms = row_i64(row, 9),
        .snapshot_count = row_i64(row, 10),
    };
    return 0;
}
