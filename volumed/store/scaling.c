/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of scalings. */
#include "store/replica.h"

#define COLUMNS \
    "id, group_name, state, plan, replica, reason, report, actor, started_ms, finished_ms"

struct reader {
    struct arena *mem;
    struct scaling *items;
    size_t count;
    size_t capacity;
};

static int read_row(const struct row *row, void *context, struct error *err);

int store_scaling_insert(struct db *db, const struct scaling *scaling, struct error *err)
{
    return db_exec(db, "INSERT INTO scaling (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   ARGS(TEXT(scaling->id), TEXT(scaling->group_name), TEXT(scaling->state),
                        TEXT(scaling->plan), I64(scaling->replica), TEXT(scaling->reason),
                        TEXT(scaling->report), TEXT(scaling->actor), I64(scaling->started_ms),
                        I64(scaling->finished_ms)),
                   err) < 0
               ? -1
               : 0;
}

int store_scaling_find(struct db *db, struct arena *mem, const char *id, struct scaling *scaling,
                       struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db, "SELECT " COLUMNS " FROM scaling WHERE id = ?", ARGS(TEXT(id)),
                         read_row, &reader, err);

    if (count > 0)
        *scaling = reader.items[0];
    return count;
}

int store_scaling_list(struct db *db, struct arena *mem, const char *group_name, bool only_running,
                       struct scaling **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db,
                         "SELECT " COLUMNS " FROM scaling WHERE (?1 IS NULL OR group_name = ?1)"
                         " AND (?2 = 0 OR finished_ms = 0) ORDER BY id DESC",
                         ARGS(TEXT(group_name), I64(only_running)), read_row, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_scaling_update(struct db *db, const struct scaling *scaling, struct error *err)
{
    return db_exec(db,
                   "UPDATE scaling SET state = ?, replica = ?, reason = ?, report = ?,"
                   " finished_ms = ? WHERE id = ?",
                   ARGS(TEXT(scaling->state), I64(scaling->replica), TEXT(scaling->reason),
                        TEXT(scaling->report), I64(scaling->finished_ms), TEXT(scaling->id)),
                   err) < 0
               ? -1
               : 0;
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    (void)err;
    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    reader->items[reader->count++] = (struct scaling){
        .id = row_text(row, 0, mem),
        .group_name = row_text(row, 1, mem),
        .state = row_text(row, 2, mem),
        .plan = row_text(row, 3, mem),
        .replica = row_i64(row, 4),
        .reason = row_text(row, 5, mem),
        .report = row_text(row, 6, mem),
        .actor = row_text(row, 7, mem),
        .started_ms = row_i64(row, 8),
        .finished_ms = row_i64(row, 9),
    };
    return 0;
}
