/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of generations. */
#include "store/generation.h"

#define COLUMNS "container_id, name, number, outcome, set_name, recreation_id, retired_ms"

struct reader {
    struct arena *mem;
    struct generation *items;
    size_t count;
    size_t capacity;
};

struct name_reader {
    struct arena *mem;
    const char **items;
    size_t count;
    size_t capacity;
};

static int read_row(const struct row *row, void *context, struct error *err);
static int read_name(const struct row *row, void *context, struct error *err);

int store_generation_insert(struct db *db, const struct generation *generation, struct error *err)
{
    return db_exec(db, "INSERT INTO generation (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)",
                   ARGS(TEXT(generation->container_id), TEXT(generation->name),
                        I64(generation->number), TEXT(generation->outcome),
                        TEXT(generation->set_name), TEXT(generation->recreation_id),
                        I64(generation->retired_ms)),
                   err) < 0
               ? -1
               : 0;
}

int store_generation_delete(struct db *db, const char *container_id, struct error *err)
{
    return db_exec(db, "DELETE FROM generation WHERE container_id = ?", ARGS(TEXT(container_id)),
                   err) < 0
               ? -1
               : 0;
}

int store_generation_find(struct db *db, struct arena *mem, const char *container_id,
                          struct generation *generation, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db, "SELECT " COLUMNS " FROM generation WHERE container_id = ?",
                         ARGS(TEXT(container_id)), read_row, &reader, err);

    if (count > 0)
        *generation = reader.items[0];
    return count;
}

int store_generation_list(struct db *db, struct arena *mem, const char *name,
                          struct generation **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count =
        db_query(db, "SELECT " COLUMNS " FROM generation WHERE name = ? ORDER BY number DESC",
                 ARGS(TEXT(name)), read_row, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_generation_has_set(struct db *db, const char *set_name, bool *has, struct error *err)
{
    int64_t count = 0;
    int rc = db_query_i64(db, "SELECT count(*) FROM generation WHERE set_name = ?",
                          ARGS(TEXT(set_name)), &count, err);

    *has = count > 0;
    return rc < 0 ? -1 : 0;
}

int store_generation_lost_sets(struct db *db, struct arena *mem, const char *name, bool with_failed,
                               const char ***names, struct error *err)
{
    static const char sql[] =
        "SELECT s.name FROM snapshot_set s WHERE s.reason = 'safety'"
        " AND s.name NOT IN (SELECT set_name FROM generation)"
        " AND s.name NOT IN (SELECT value FROM recreation r, json_each(json_array(r.set_name,"
        " r.failed_set, coalesce(json_extract(r.plan, '$.target_set'), ''))) WHERE r.finished_ms = 0)"
        " AND s.name IN (SELECT value FROM recreation r"
        " JOIN recreation_member m ON m.recreation_id = r.id,"
        " json_each(json_array(r.set_name, iif(?, r.failed_set, '')))"
        " WHERE (? OR m.name = ?) AND r.finished_ms > 0"
        " AND NOT coalesce(json_extract(r.plan, '$.is_rehearsal'), 0))"
        " ORDER BY s.created_ms DESC, s.id DESC";
    struct name_reader reader = { .mem = mem };
    int count =
        db_query(db, sql, ARGS(I64(with_failed), I64(name == NULL), TEXT(name != NULL ? name : "")),
                 read_name, &reader, err);

    if (count >= 0)
        *names = reader.items;
    return count;
}

int store_generation_rename(struct db *db, const char *name, const char *new_name,
                            struct error *err)
{
    return db_exec(db, "UPDATE generation SET name = ? WHERE name = ?",
                   ARGS(TEXT(new_name), TEXT(name)), err) < 0
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
    reader->items[reader->count++] = (struct generation){
        .container_id = row_text(row, 0, mem),
        .name = row_text(row, 1, mem),
        .number = row_i64(row, 2),
        .outcome = row_text(row, 3, mem),
        .set_name = row_text(row, 4, mem),
        .recreation_id = row_text(row, 5, mem),
        .retired_ms = row_i64(row, 6),
    };
    return 0;
}

static int read_name(const struct row *row, void *context, struct error *err)
{
    struct name_reader *reader = context;
    struct arena *mem = reader->mem;

    (void)err;
    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    reader->items[reader->count++] = row_text(row, 0, mem);
    return 0;
}
