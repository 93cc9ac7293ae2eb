/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of holds. */
#include "store/snapshot_hold.h"

struct reader {
    struct arena *mem;
    struct hold *items;
    size_t count;
    size_t capacity;
};

static int list(struct db *db, struct arena *mem, const char *sql, const char *id,
                struct hold **holds, struct error *err);
static int read_row(const struct row *row, void *context, struct error *err);

int store_hold_insert(struct db *db, const struct hold *hold, struct error *err)
{
    return db_exec(db,
                   "INSERT INTO snapshot_hold (snapshot_id, tag, kind, actor, created_ms)"
                   " VALUES (?, ?, ?, ?, ?)",
                   ARGS(TEXT(hold->snapshot_id), TEXT(hold->tag), TEXT(hold->kind),
                        TEXT(hold->actor), I64(hold->created_ms)),
                   err);
}

int store_hold_delete(struct db *db, const char *snapshot_id, const char *tag, struct error *err)
{
    return db_exec(db,
                   "DELETE FROM snapshot_hold WHERE snapshot_id = ?1"
                   " AND (tag = ?2 OR (?2 IS NULL AND kind = 'user'))",
                   ARGS(TEXT(snapshot_id), TEXT(tag)), err);
}

int store_hold_list(struct db *db, struct arena *mem, const char *snapshot_id, struct hold **holds,
                    struct error *err)
{
    return list(db, mem,
                "SELECT snapshot_id, tag, kind, actor, created_ms FROM snapshot_hold"
                " WHERE snapshot_id = ? ORDER BY tag",
                snapshot_id, holds, err);
}

int store_hold_list_of_volume(struct db *db, struct arena *mem, const char *volume_id,
                              struct hold **holds, struct error *err)
{
    return list(db, mem,
                "SELECT h.snapshot_id, h.tag, h.kind, h.actor, h.created_ms FROM snapshot_hold h"
                " JOIN snapshot s ON s.id = h.snapshot_id WHERE s.volume_id = ?"
                " ORDER BY h.snapshot_id, h.tag",
                volume_id, holds, err);
}

int store_hold_list_tagged(struct db *db, struct arena *mem, const char *tag, struct hold **holds,
                           struct error *err)
{
    return list(db, mem,
                "SELECT snapshot_id, tag, kind, actor, created_ms FROM snapshot_hold"
                " WHERE tag = ? ORDER BY snapshot_id",
                tag, holds, err);
}

int store_hold_check_none(struct db *db, const char *id, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *holder = NULL;

    if (db_query_text(db, mem,
                      "SELECT '''' || v.name || '@' || s.name || ''' is held (' || h.tag || ')'"
                      " FROM snapshot_hold h JOIN snapshot s ON s.id = h.snapshot_id"
                      " JOIN volume v ON v.id = s.volume_id WHERE s.id = ?1 OR s.volume_id = ?1"
                      " LIMIT 1",
                      ARGS(TEXT(id)), &holder, err) < 0)
        return -1;
    if (holder != NULL)
        return fail(err, ERR_CONFLICT, "snapshot %s; release it first", holder);
    return 0;
}

static int list(struct db *db, struct arena *mem, const char *sql, const char *id,
                struct hold **holds, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db, sql, ARGS(TEXT(id)), read_row, &reader, err);

    if (count >= 0)
        *holds = reader.items;
    return count;
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    (void)err;
    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    reader->items[reader->count++] = (struct hold){
        .snapshot_id = row_text(row, 0, mem),
        .tag = row_text(row, 1, mem),
        .kind = row_text(row, 2, mem),
        .actor = row_text(row, 3, mem),
        .created_ms = row_i64(row, 4),
    };
    return 0;
}
