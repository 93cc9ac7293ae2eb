/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of groups and their replicas. */
#include "store/replica.h"

#define GROUP_COLUMNS "name, source_id, source_name, size, created_ms"
#define REPLICA_COLUMNS                                                                    \
    "group_name, number, state, source_id, source_name, scaling_id, was_running, made_ms," \
    " refreshed_ms"

struct group_reader {
    struct arena *mem;
    struct replica_group *group;
};

struct reader {
    struct arena *mem;
    struct replica *items;
    size_t count;
    size_t capacity;
};

static int read_group(const struct row *row, void *context, struct error *err);
static int read_replica(const struct row *row, void *context, struct error *err);

int store_group_put(struct db *db, const struct replica_group *group, struct error *err)
{
    return db_exec(db,
                   "INSERT INTO replica_group (" GROUP_COLUMNS ") VALUES (?, ?, ?, ?, ?)"
                   " ON CONFLICT (name) DO UPDATE SET source_id = excluded.source_id,"
                   " source_name = excluded.source_name, size = excluded.size",
                   ARGS(TEXT(group->name), TEXT(group->source_id), TEXT(group->source_name),
                        TEXT(group->size), I64(group->created_ms)),
                   err) < 0
               ? -1
               : 0;
}

int store_group_find(struct db *db, struct arena *mem, const char *name,
                     struct replica_group *group, struct error *err)
{
    struct group_reader reader = { mem, group };

    return db_query(db, "SELECT " GROUP_COLUMNS " FROM replica_group WHERE name = ?",
                    ARGS(TEXT(name)), read_group, &reader, err);
}

int store_group_delete(struct db *db, const char *name, struct error *err)
{
    return db_exec(db, "DELETE FROM replica_group WHERE name = ?", ARGS(TEXT(name)), err) < 0 ? -1
                                                                                              : 0;
}

int store_replica_put(struct db *db, const struct replica *replica, struct error *err)
{
    return db_exec(db,
                   "INSERT OR REPLACE INTO replica (" REPLICA_COLUMNS ")"
                   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   ARGS(TEXT(replica->group_name), I64(replica->number), TEXT(replica->state),
                        TEXT(replica->source_id), TEXT(replica->source_name),
                        TEXT(replica->scaling_id), I64(replica->was_running), I64(replica->made_ms),
                        I64(replica->refreshed_ms)),
                   err) < 0
               ? -1
               : 0;
}

int store_replica_list(struct db *db, struct arena *mem, const char *group_name,
                       struct replica **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db,
                         "SELECT " REPLICA_COLUMNS " FROM replica"
                         " WHERE ?1 IS NULL OR group_name = ?1 ORDER BY group_name, number",
                         ARGS(TEXT(group_name)), read_replica, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_replica_delete(struct db *db, const char *group_name, int64_t number, struct error *err)
{
    return db_exec(db, "DELETE FROM replica WHERE group_name = ? AND number = ?",
                   ARGS(TEXT(group_name), I64(number)), err) < 0
               ? -1
               : 0;
}

int store_replica_switch(struct db *db, const char *container_id, const char *from, const char *to,
                         struct error *err)
{
    return db_exec(db,
                   "UPDATE attachment SET volume_id = ? WHERE container_id = ? AND volume_id = ?",
                   ARGS(TEXT(to), TEXT(container_id), TEXT(from)), err) < 0
               ? -1
               : 0;
}

static int read_group(const struct row *row, void *context, struct error *err)
{
    const struct group_reader *reader = context;

    (void)err;
    *reader->group = (struct replica_group){
        .name = row_text(row, 0, reader->mem),
        .source_id = row_text(row, 1, reader->mem),
        .source_name = row_text(row, 2, reader->mem),
        .size = row_text(row, 3, reader->mem),
        .created_ms = row_i64(row, 4),
    };
    return 0;
}

static int read_replica(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    (void)err;
    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    reader->items[reader->count++] = (struct replica){
        .group_name = row_text(row, 0, mem),
        .number = row_i64(row, 1),
        .state = row_text(row, 2, mem),
        .source_id = row_text(row, 3, mem),
        .source_name = row_text(row, 4, mem),
        .scaling_id = row_text(row, 5, mem),
        .was_running = row_bool(row, 6),
        .made_ms = row_i64(row, 7),
        .refreshed_ms = row_i64(row, 8),
    };
    return 0;
}
