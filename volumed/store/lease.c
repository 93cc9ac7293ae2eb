/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of leases. */
#include "store/lease.h"

struct reader {
    struct arena *mem;
    struct lease *items;
    size_t count;
    size_t capacity;
};

struct id_reader {
    struct arena *mem;
    const char **items;
    size_t count;
    size_t capacity;
};

static int read_id(const struct row *row, void *context, struct error *err);
static int read_rule(const struct row *row, void *context, struct error *err);
static int read_lease(const struct row *row, void *context, struct error *err);

int store_rule_find(struct db *db, const char *volume_id, struct volume_rule *rule,
                    struct error *err)
{
    *rule = (struct volume_rule){ .access = VOLUME_SHARED, .succession = SUCCESSION_STANDBY };
    return db_query(db, "SELECT access, succession, epoch FROM volume_access WHERE volume_id = ?",
                    ARGS(TEXT(volume_id)), read_rule, rule, err);
}

int store_rule_set(struct db *db, const char *volume_id, const struct volume_rule *rule,
                   struct error *err)
{
    return db_exec(db,
                   "INSERT INTO volume_access (volume_id, access, succession) VALUES (?1, ?2, ?3)"
                   " ON CONFLICT (volume_id) DO UPDATE SET access = ?2, succession = ?3",
                   ARGS(TEXT(volume_id), TEXT(volume_access_name(rule->access)),
                        TEXT(lease_succession_name(rule->succession))),
                   err) < 0
               ? -1
               : 0;
}

int store_rule_advance(struct db *db, const char *volume_id, int64_t *epoch, struct error *err)
{
    if (db_exec(db,
                "INSERT INTO volume_access (volume_id, access, succession, epoch)"
                " VALUES (?, 'shared', 'standby', 1)"
                " ON CONFLICT (volume_id) DO UPDATE SET epoch = epoch + 1",
                ARGS(TEXT(volume_id)), err) < 0)
        return -1;
    return db_query_i64(db, "SELECT epoch FROM volume_access WHERE volume_id = ?",
                        ARGS(TEXT(volume_id)), epoch, err);
}

int store_lease_set(struct db *db, const struct lease *lease, struct error *err)
{
    return db_exec(db,
                   "INSERT INTO lease (volume_id, container_id, state, epoch, since_ms)"
                   " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (volume_id, container_id) DO UPDATE"
                   " SET state = ?3, epoch = ?4, since_ms = ?5",
                   ARGS(TEXT(lease->volume_id), TEXT(lease->container_id), TEXT(lease->state),
                        I64(lease->epoch), I64(lease->since_ms)),
                   err) < 0
               ? -1
               : 0;
}

int store_lease_delete(struct db *db, const char *volume_id, const char *container_id,
                       struct error *err)
{
    return db_exec(db, "DELETE FROM lease WHERE volume_id = ? AND container_id = ?",
                   ARGS(TEXT(volume_id), TEXT(container_id)), err) < 0
               ? -1
               : 0;
}

int store_lease_end(struct db *db, const char *container_id, struct error *err)
{
    return db_exec(db, "DELETE FROM lease WHERE container_id = ?", ARGS(TEXT(container_id)), err);
}

int store_lease_list(struct db *db, struct arena *mem, const char *volume_id, struct lease **list,
                     struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db,
                         "SELECT l.volume_id, l.container_id, c.name, c.state, l.state, l.epoch,"
                         " l.since_ms FROM lease l JOIN container c ON c.id = l.container_id"
                         " WHERE l.volume_id = ? ORDER BY l.since_ms, c.created_ns, c.id",
                         ARGS(TEXT(volume_id)), read_lease, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_lease_volumes_waiting(struct db *db, struct arena *mem, const char *const **volumes,
                                struct error *err)
{
    struct id_reader reader = { .mem = mem };
    int count = db_query(db, "SELECT DISTINCT volume_id FROM lease WHERE state <> 'writer'",
                         NO_ARGS, read_id, &reader, err);

    if (count >= 0)
        *volumes = reader.items;
    return count;
}

static int read_id(const struct row *row, void *context, struct error *err)
{
    struct id_reader *reader = context;

    (void)err;
    if (reader->count == reader->capacity)
        reader->items =
            arena_grow(reader->mem, reader->items, &reader->capacity, sizeof(*reader->items));
    reader->items[reader->count++] = row_text(row, 0, reader->mem);
    return 0;
}

static int read_rule(const struct row *row, void *context, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    struct volume_rule *rule = context;

    rule->epoch = row_i64(row, 2);
    if (volume_access_find(row_text(row, 0, mem), &rule->access, err) < 0)
        return -1;
    return lease_succession_find(row_text(row, 1, mem), &rule->succession, err);
}

static int read_lease(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    (void)err;
    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    reader->items[reader->count++] = (struct lease){
        .volume_id = row_text(row, 0, mem),
        .container_id = row_text(row, 1, mem),
        .container_name = row_text(row, 2, mem),
        .container_state = row_text(row, 3, mem),
        .state = row_text(row, 4, mem),
        .epoch = row_i64(row, 5),
        .since_ms = row_i64(row, 6),
    };
    return 0;
}
