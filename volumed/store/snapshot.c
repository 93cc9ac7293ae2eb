/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of snapshots. */
#include "store/snapshot.h"

#define COLUMNS                                                                           \
    "s.id, s.volume_id, v.name, s.pool_id, s.name, s.state, s.reason, s.labels, s.fence," \
    " s.pause_ns, s.created_ms, s.set_id, t.name FROM snapshot s"                         \
    " JOIN volume v ON v.id = s.volume_id LEFT JOIN snapshot_set t ON t.id = s.set_id"

/* Not in the trash, neither it nor its volume. */
#define READY " AND s.state = 'ready' AND v.state = 'ready'"

struct reader {
    struct arena *mem;
    struct snapshot *items;
    size_t count;
    size_t capacity;
};

static int read_row(const struct row *row, void *context, struct error *err);

int store_snapshot_insert(struct db *db, const struct snapshot *snapshot, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();

    return db_exec(db,
                   "INSERT INTO snapshot (id, volume_id, pool_id, name, state, reason, labels,"
                   " fence, pause_ns, created_ms, set_id)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   ARGS(TEXT(snapshot->id), TEXT(snapshot->volume_id), TEXT(snapshot->pool_id),
                        TEXT(snapshot->name), TEXT(snapshot->state), TEXT(snapshot->reason),
                        TEXT(pairs_to_text(&snapshot->labels, mem)), TEXT(snapshot->fence),
                        I64(snapshot->pause_ns), I64(snapshot->created_ms), TEXT(snapshot->set_id)),
                   err);
}

int store_snapshot_find(struct db *db, struct arena *mem, const char *volume_id, const char *ref,
                        struct snapshot *snapshot, struct error *err)
{
    struct reader reader = { .mem = mem, .items = snapshot, .capacity = 1 };

    return db_query(db,
                    "SELECT " COLUMNS " WHERE s.volume_id = ?1 AND (s.name = ?2 OR s.id = ?2)" READY
                    " ORDER BY s.name = ?2 DESC LIMIT 1",
                    ARGS(TEXT(volume_id), TEXT(ref)), read_row, &reader, err);
}

int store_snapshot_list(struct db *db, struct arena *mem, const char *volume_id,
                        struct snapshot **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db,
                         "SELECT " COLUMNS " WHERE (?1 IS NULL OR s.volume_id = ?1)" READY
                         " ORDER BY s.created_ms, s.rowid",
                         ARGS(TEXT(volume_id)), read_row, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_snapshot_list_all(struct db *db, struct arena *mem, const char *volume_id,
                            struct snapshot **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count =
        db_query(db, "SELECT " COLUMNS " WHERE s.volume_id = ? ORDER BY s.created_ms, s.rowid",
                 ARGS(TEXT(volume_id)), read_row, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_snapshot_list_set(struct db *db, struct arena *mem, const char *set_id,
                            struct snapshot **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db, "SELECT " COLUMNS " WHERE s.set_id = ?" READY " ORDER BY v.name",
                         ARGS(TEXT(set_id)), read_row, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_snapshot_count(struct db *db, const char *volume_id, int64_t *count, struct error *err)
{
    return db_query_i64(db, "SELECT count(*) FROM snapshot WHERE volume_id = ? AND state = 'ready'",
                        ARGS(TEXT(volume_id)), count, err);
}

int store_snapshot_set_past(struct db *db, const struct snapshot *snapshot, struct error *err)
{
    int changed =
        db_exec(db, "UPDATE snapshot SET created_ms = ?, fence = ?, pause_ns = ? WHERE id = ?",
                ARGS(I64(snapshot->created_ms), TEXT(snapshot->fence), I64(snapshot->pause_ns),
                     TEXT(snapshot->id)),
                err);

    if (changed == 0)
        return fail(err, ERR_CONFLICT, "the snapshot was removed meanwhile");
    return changed < 0 ? -1 : 0;
}

int store_snapshot_delete(struct db *db, const char *id, struct error *err)
{
    int changed = db_exec(db, "DELETE FROM snapshot WHERE id = ?", ARGS(TEXT(id)), err);

    if (changed == 0)
        return fail(err, ERR_CONFLICT, "the snapshot was removed meanwhile");
    return changed < 0 ? -1 : 0;
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    struct snapshot *snapshot = &reader->items[reader->count++];
    *snapshot = (struct snapshot){
        .id = row_text(row, 0, mem),
        .volume_id = row_text(row, 1, mem),
        .volume_name = row_text(row, 2, mem),
        .pool_id = row_text(row, 3, mem),
        .name = row_text(row, 4, mem),
        .state = row_text(row, 5, mem),
        .reason = row_text(row, 6, mem),
        .fence = row_text(row, 8, mem),
        .pause_ns = row_i64(row, 9),
        .created_ms = row_i64(row, 10),
        .set_id = row_text(row, 11, mem),
        .set_name = row_text(row, 12, mem),
    };
    return pairs_from_text(&snapshot->labels, mem, row_text(row, 7, mem), err);
}
