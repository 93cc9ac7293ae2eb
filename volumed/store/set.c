/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of sets. */
#include "store/set.h"

#define COLUMNS \
    "id, name, reason, labels, containers, size, fence, pause_ns, created_ms FROM snapshot_set"

/* One whose members are all in the trash is there again when one of them is. */
#define READY                                                               \
    " EXISTS (SELECT 1 FROM snapshot s JOIN volume v ON v.id = s.volume_id" \
    " WHERE s.set_id = snapshot_set.id AND s.state = 'ready' AND v.state = 'ready')"

struct reader {
    struct arena *mem;
    struct snapshot_set *items;
    size_t count;
    size_t capacity;
};

static int read_row(const struct row *row, void *context, struct error *err);

int store_set_insert(struct db *db, const struct snapshot_set *set, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();

    if (db_exec(db, "UPDATE snapshot_set SET name = 'trash:' || id WHERE name = ? AND NOT" READY,
                ARGS(TEXT(set->name)), err) < 0)
        return -1;
    return db_exec(db,
                   "INSERT INTO snapshot_set (id, name, reason, labels, containers, size, fence,"
                   " pause_ns, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   ARGS(TEXT(set->id), TEXT(set->name), TEXT(set->reason),
                        TEXT(pairs_to_text(&set->labels, mem)), TEXT(set->containers),
                        I64(set->size), TEXT(set->fence), I64(set->pause_ns), I64(set->created_ms)),
                   err);
}

int store_set_find(struct db *db, struct arena *mem, const char *ref, struct snapshot_set *set,
                   struct error *err)
{
    struct reader reader = { .mem = mem, .items = set, .capacity = 1 };

    return db_query(db,
                    "SELECT " COLUMNS " WHERE (name = ?1 OR id = ?1) AND" READY
                    " ORDER BY name = ?1 DESC LIMIT 1",
                    ARGS(TEXT(ref)), read_row, &reader, err);
}

int store_set_list(struct db *db, struct arena *mem, struct snapshot_set **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db, "SELECT " COLUMNS " WHERE" READY " ORDER BY created_ms, rowid",
                         NO_ARGS, read_row, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_set_check_free(struct db *db, const struct snapshot_set *set, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *holder = NULL;

    if (db_query_text(db, mem,
                      "SELECT o.kind || ' (operation ' || o.id || ')' FROM intent i"
                      " JOIN operation o ON o.id = i.operation_id WHERE i.object = 'set:' || ?",
                      ARGS(TEXT(set->id)), &holder, err) < 0)
        return -1;
    return holder == NULL ? 0 : fail(err, ERR_BUSY, "set '%s' is held by %s", set->name, holder);
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    struct snapshot_set *set = &reader->items[reader->count++];
    *set = (struct snapshot_set){
        .id = row_text(row, 0, mem),
        .name = row_text(row, 1, mem),
        .reason = row_text(row, 2, mem),
        .containers = row_text(row, 4, mem),
        .size = row_i64(row, 5),
        .fence = row_text(row, 6, mem),
        .pause_ns = row_i64(row, 7),
        .created_ms = row_i64(row, 8),
    };
    return pairs_from_text(&set->labels, mem, row_text(row, 3, mem), err);
}
