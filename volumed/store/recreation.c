/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of recreations. */
#include "store/recreation.h"

#define COLUMNS                                                                            \
    "id, state, plan, set_name, failed_set, reason, report, decision, actor, deadline_ms," \
    " started_ms, finished_ms"

struct reader {
    struct arena *mem;
    struct recreation *items;
    size_t count;
    size_t capacity;
};

struct member_reader {
    struct arena *mem;
    struct recreation_member *items;
    size_t count;
    size_t capacity;
};

static int read_members(struct db *db, struct arena *mem, struct recreation *recreation,
                        struct error *err);
static int read_row(const struct row *row, void *context, struct error *err);
static int read_member(const struct row *row, void *context, struct error *err);

int store_recreation_insert(struct db *db, const struct recreation *recreation, struct error *err)
{
    if (db_exec(db,
                "INSERT INTO recreation (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                ARGS(TEXT(recreation->id), TEXT(recreation->state), TEXT(recreation->plan),
                     TEXT(recreation->set_name), TEXT(recreation->failed_set),
                     TEXT(recreation->reason), TEXT(recreation->report), TEXT(recreation->decision),
                     TEXT(recreation->actor), I64(recreation->deadline_ms),
                     I64(recreation->started_ms), I64(recreation->finished_ms)),
                err) < 0)
        return -1;
    for (size_t i = 0; i < recreation->count; i++) {
        const struct recreation_member *member = &recreation->members[i];
        if (db_exec(db,
                    "INSERT INTO recreation_member (recreation_id, position, name, old_id, new_id,"
                    " was_running) VALUES (?, ?, ?, ?, ?, ?)",
                    ARGS(TEXT(recreation->id), I64((int64_t)i), TEXT(member->name),
                         TEXT(member->old_id), TEXT(member->new_id), I64(member->was_running)),
                    err) < 0)
            return -1;
    }
    return 0;
}

int store_recreation_find(struct db *db, struct arena *mem, const char *id,
                          struct recreation *recreation, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db, "SELECT " COLUMNS " FROM recreation WHERE id = ?", ARGS(TEXT(id)),
                         read_row, &reader, err);

    if (count <= 0)
        return count;
    *recreation = reader.items[0];
    return read_members(db, mem, recreation, err) < 0 ? -1 : 1;
}

int store_recreation_list(struct db *db, struct arena *mem, const char *name, bool only_running,
                          struct recreation **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db,
                         "SELECT " COLUMNS " FROM recreation"
                         " WHERE (? IS NULL OR id IN"
                         " (SELECT recreation_id FROM recreation_member WHERE name = ?))"
                         " AND (? = 0 OR finished_ms = 0) ORDER BY id DESC",
                         ARGS(TEXT(name), TEXT(name), I64(only_running)), read_row, &reader, err);

    for (int i = 0; i < count; i++)
        if (read_members(db, mem, &reader.items[i], err) < 0)
            return -1;
    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_recreation_find_running(struct db *db, struct arena *mem, const char *name,
                                  const char **id, struct error *err)
{
    return db_query_text(db, mem,
                         "SELECT r.id FROM recreation r JOIN recreation_member m"
                         " ON m.recreation_id = r.id WHERE m.name = ? AND r.finished_ms = 0",
                         ARGS(TEXT(name)), id, err);
}

int store_recreation_update(struct db *db, const struct recreation *recreation, struct error *err)
{
    return db_exec(db,
                   "UPDATE recreation SET state = ?, set_name = ?, failed_set = ?, reason = ?,"
                   " report = ?, deadline_ms = ?, finished_ms = ? WHERE id = ?",
                   ARGS(TEXT(recreation->state), TEXT(recreation->set_name),
                        TEXT(recreation->failed_set), TEXT(recreation->reason),
                        TEXT(recreation->report), I64(recreation->deadline_ms),
                        I64(recreation->finished_ms), TEXT(recreation->id)),
                   err) < 0
               ? -1
               : 0;
}

int store_recreation_set_new(struct db *db, const char *id, size_t position, const char *new_id,
                             struct error *err)
{
    return db_exec(db,
                   "UPDATE recreation_member SET new_id = ? WHERE recreation_id = ?"
                   " AND position = ?",
                   ARGS(TEXT(new_id), TEXT(id), I64((int64_t)position)), err) < 0
               ? -1
               : 0;
}

int store_recreation_delete(struct db *db, const char *id, struct error *err)
{
    return db_exec(db, "DELETE FROM recreation WHERE id = ?", ARGS(TEXT(id)), err) < 0 ? -1 : 0;
}

int store_recreation_decide(struct db *db, const char *id, const char *decision, struct error *err)
{
    return db_exec(db,
                   "UPDATE recreation SET decision = ? WHERE id = ? AND state = 'probation'"
                   " AND decision = ''",
                   ARGS(TEXT(decision), TEXT(id)), err);
}

static int read_members(struct db *db, struct arena *mem, struct recreation *recreation,
                        struct error *err)
{
    struct member_reader reader = { .mem = mem };

    if (db_query(db,
                 "SELECT name, old_id, new_id, was_running FROM recreation_member"
                 " WHERE recreation_id = ? ORDER BY position",
                 ARGS(TEXT(recreation->id)), read_member, &reader, err) < 0)
        return -1;
    recreation->members = reader.items;
    recreation->count = reader.count;
    return 0;
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    (void)err;
    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    reader->items[reader->count++] = (struct recreation){
        .id = row_text(row, 0, mem),
        .state = row_text(row, 1, mem),
        .plan = row_text(row, 2, mem),
        .set_name = row_text(row, 3, mem),
        .failed_set = row_text(row, 4, mem),
        .reason = row_text(row, 5, mem),
        .report = row_text(row, 6, mem),
        .decision = row_text(row, 7, mem),
        .actor = row_text(row, 8, mem),
        .deadline_ms = row_i64(row, 9),
        .started_ms = row_i64(row, 10),
        .finished_ms = row_i64(row, 11),
    };
    return 0;
}

static int read_member(const struct row *row, void *context, struct error *err)
{
    struct member_reader *reader = context;
    struct arena *mem = reader->mem;

    (void)err;
    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    reader->items[reader->count++] = (struct recreation_member){
        .name = row_text(row, 0, mem),
        .old_id = row_text(row, 1, mem),
        .new_id = row_text(row, 2, mem),
        .was_running = row_bool(row, 3),
    };
    return 0;
}
