/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of volumes.  What is in the trash (state 'removing') is seen by store/trash.c alone. */
#include "store/volume.h"

#include <string.h>

#define COLUMNS                                                                           \
    "v.id, v.name, v.pool_id, p.name, v.data_id, v.state, v.driver, v.options, v.labels," \
    " v.is_anonymous, v.is_protected, v.is_seeded, v.seeded_from, v.parent, v.created_ms" \
    " FROM volume v JOIN pool p ON p.id = v.pool_id"

struct reader {
    struct arena *mem;
    struct volume *items;
    size_t count;
    size_t capacity;
};

static int query(struct db *db, const char *sql, struct db_args args, struct reader *reader,
                 struct error *err);
static int read_row(const struct row *row, void *context, struct error *err);
static int must_change(int changed, struct error *err);

int store_volume_insert(struct db *db, const struct volume *volume, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();

    return db_exec(db,
                   "INSERT INTO volume (id, name, pool_id, data_id, state, driver, options, labels,"
                   " is_anonymous, is_protected, is_seeded, seeded_from, parent, created_ms)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   ARGS(TEXT(volume->id), TEXT(volume->name), TEXT(volume->pool_id),
                        TEXT(volume->data_id), TEXT(volume->state), TEXT(volume->driver),
                        TEXT(pairs_to_text(&volume->options, mem)),
                        TEXT(pairs_to_text(&volume->labels, mem)), I64(volume->is_anonymous),
                        I64(volume->is_protected), I64(volume->is_seeded),
                        TEXT(volume->seeded_from), TEXT(volume->parent), I64(volume->created_ms)),
                   err);
}

int store_volume_find(struct db *db, struct arena *mem, const char *ref, struct volume *volume,
                      struct error *err)
{
    struct reader reader = { .mem = mem, .items = volume, .capacity = 1 };
    int found = query(db, "SELECT " COLUMNS " WHERE v.name = ? AND v.state = 'ready'",
                      ARGS(TEXT(ref)), &reader, err);

    return found != 0 ? found : store_volume_find_id(db, mem, ref, volume, err);
}

int store_volume_find_id(struct db *db, struct arena *mem, const char *id, struct volume *volume,
                         struct error *err)
{
    struct reader reader = { .mem = mem, .items = volume, .capacity = 1 };

    return query(db, "SELECT " COLUMNS " WHERE v.id = ? AND v.state = 'ready'", ARGS(TEXT(id)),
                 &reader, err);
}

int store_volume_list(struct db *db, struct arena *mem, struct volume **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = query(db, "SELECT " COLUMNS " WHERE v.state = 'ready' ORDER BY v.name", NO_ARGS,
                      &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_volume_list_dangling(struct db *db, struct arena *mem, struct volume **list,
                               struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = query(db,
                      "SELECT " COLUMNS " WHERE v.state = 'ready'"
                      " AND NOT EXISTS (SELECT 1 FROM attachment WHERE volume_id = v.id)"
                      " AND NOT EXISTS (SELECT 1 FROM plugin_mount WHERE volume_id = v.id)"
                      " ORDER BY v.name",
                      NO_ARGS, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_volume_has_data(struct db *db, const char *pool_id, const char *data_id,
                          struct error *err)
{
    int64_t count = 0;

    if (db_query_i64(db,
                     "SELECT EXISTS (SELECT 1 FROM volume WHERE data_id = ?1 AND pool_id = ?2)"
                     " OR EXISTS (SELECT 1 FROM snapshot WHERE id = ?1 AND pool_id = ?2)",
                     ARGS(TEXT(data_id), TEXT(pool_id)), &count, err) < 0)
        return -1;
    return (int)count;
}

int store_volume_set_name(struct db *db, const char *id, const char *name, struct error *err)
{
    return must_change(db_exec(db, "UPDATE volume SET name = ? WHERE id = ? AND state = 'ready'",
                               ARGS(TEXT(name), TEXT(id)), err),
                       err);
}

int store_volume_set_labels(struct db *db, const char *id, const struct pairs *labels,
                            struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();

    return must_change(db_exec(db, "UPDATE volume SET labels = ? WHERE id = ?",
                               ARGS(TEXT(pairs_to_text(labels, mem)), TEXT(id)), err),
                       err);
}

int store_volume_set_options(struct db *db, const char *id, const struct pairs *options,
                             struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();

    return must_change(db_exec(db, "UPDATE volume SET options = ? WHERE id = ?",
                               ARGS(TEXT(pairs_to_text(options, mem)), TEXT(id)), err),
                       err);
}

int store_volume_set_protected(struct db *db, const char *id, bool is_protected, struct error *err)
{
    return must_change(db_exec(db, "UPDATE volume SET is_protected = ? WHERE id = ?",
                               ARGS(I64(is_protected), TEXT(id)), err),
                       err);
}

int store_volume_set_data(struct db *db, const char *id, const char *old_data_id,
                          const char *new_data_id, struct error *err)
{
    return must_change(db_exec(db,
                               "UPDATE volume SET data_id = ?"
                               " WHERE id = ? AND data_id = ? AND state = 'ready'",
                               ARGS(TEXT(new_data_id), TEXT(id), TEXT(old_data_id)), err),
                       err);
}

int store_volume_set_seeded(struct db *db, const char *id, const char *seeded_from,
                            struct error *err)
{
    return must_change(db_exec(db, "UPDATE volume SET is_seeded = 1, seeded_from = ? WHERE id = ?",
                               ARGS(TEXT(seeded_from), TEXT(id)), err),
                       err);
}

int store_volume_delete(struct db *db, const char *id, struct error *err)
{
    return must_change(db_exec(db, "DELETE FROM volume WHERE id = ?", ARGS(TEXT(id)), err), err);
}

int store_volume_check_free(struct db *db, const struct volume *volume, struct error *err)
{
    return store_volume_check_free_but(db, volume, NULL, err);
}

int store_volume_check_free_but(struct db *db, const struct volume *volume,
                                const char *operation_id, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *holder = NULL;

    if (db_query_text(db, mem,
                      "SELECT o.kind || ' ' || o.id FROM intent i"
                      " JOIN operation o ON o.id = i.operation_id WHERE i.object = 'volume:' || ?"
                      " AND o.id IS NOT ?",
                      ARGS(TEXT(volume->id), TEXT(operation_id)), &holder, err) < 0)
        return -1;
    if (holder != NULL)
        return fail(err, ERR_BUSY, "volume '%s' is held by operation %s; try again", volume->name,
                    holder);
    return 0;
}

static int query(struct db *db, const char *sql, struct db_args args, struct reader *reader,
                 struct error *err)
{
    return db_query(db, sql, args, read_row, reader, err);
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    struct volume *volume = &reader->items[reader->count++];
    *volume = (struct volume){
        .id = row_text(row, 0, mem),
        .name = row_text(row, 1, mem),
        .pool_id = row_text(row, 2, mem),
        .pool_name = row_text(row, 3, mem),
        .data_id = row_text(row, 4, mem),
        .state = row_text(row, 5, mem),
        .driver = row_text(row, 6, mem),
        .is_anonymous = row_bool(row, 9),
        .is_protected = row_bool(row, 10),
        .is_seeded = row_bool(row, 11),
        .seeded_from = row_text(row, 12, mem),
        .parent = row_text(row, 13, mem),
        .created_ms = row_i64(row, 14),
    };
    if (pairs_from_text(&volume->options, mem, row_text(row, 7, mem), err) < 0)
        return -1;
    return pairs_from_text(&volume->labels, mem, row_text(row, 8, mem), err);
}

static int must_change(int changed, struct error *err)
{
    if (changed == 0)
        return fail(err, ERR_CONFLICT, "the volume was removed or changed meanwhile");
    return changed < 0 ? -1 : 0;
}
