/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of operations and intents. */
#include "store/operation.h"

#define COLUMNS                                                                         \
    "id, kind, subject, state, step, note, actor, idempotency_key, result, error_code," \
    " error_message, started_ms, finished_ms"

struct reader {
    struct arena *mem;
    struct operation *items;
    size_t count;
    size_t capacity;
};

static int read_row(const struct row *row, void *context, struct error *err);

int store_operation_insert(struct db *db, const struct operation *operation, struct error *err)
{
    return db_exec(db,
                   "INSERT INTO operation (id, kind, subject, state, note, actor, idempotency_key,"
                   " result, started_ms, finished_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   ARGS(TEXT(operation->id), TEXT(operation->kind), TEXT(operation->subject),
                        TEXT(operation->state), TEXT(operation->note), TEXT(operation->actor),
                        TEXT(operation->idempotency_key), TEXT(operation->result),
                        I64(operation->started_ms), I64(operation->finished_ms)),
                   err);
}

int store_operation_end(struct db *db, const struct operation *operation, struct error *err)
{
    if (db_exec(db, "DELETE FROM intent WHERE operation_id = ?", ARGS(TEXT(operation->id)), err) <
        0)
        return -1;
    return db_exec(db,
                   "UPDATE operation SET state = ?1, result = ?2, error_code = ?3,"
                   " error_message = ?4, finished_ms = ?5,"
                   " idempotency_key = CASE ?1 WHEN 'failed' THEN NULL ELSE idempotency_key END"
                   " WHERE id = ?6 AND state = 'running'",
                   ARGS(TEXT(operation->state), TEXT(operation->result),
                        TEXT(operation->error_code), TEXT(operation->error_message),
                        I64(operation->finished_ms), TEXT(operation->id)),
                   err);
}

int store_operation_set_step(struct db *db, const char *id, int64_t step, const char *note,
                             struct error *err)
{
    return db_exec(db, "UPDATE operation SET step = ?, note = ? WHERE id = ?",
                   ARGS(I64(step), TEXT(note), TEXT(id)), err);
}

int store_operation_find(struct db *db, struct arena *mem, const char *id,
                         struct operation *operation, struct error *err)
{
    struct reader reader = { .mem = mem, .items = operation, .capacity = 1 };

    return db_query(db, "SELECT " COLUMNS " FROM operation WHERE id = ?", ARGS(TEXT(id)), read_row,
                    &reader, err);
}

int store_operation_find_key(struct db *db, struct arena *mem, const char *idempotency_key,
                             struct operation *operation, struct error *err)
{
    struct reader reader = { .mem = mem, .items = operation, .capacity = 1 };

    return db_query(db, "SELECT " COLUMNS " FROM operation WHERE idempotency_key = ?",
                    ARGS(TEXT(idempotency_key)), read_row, &reader, err);
}

int store_operation_list(struct db *db, struct arena *mem, bool only_running, int limit,
                         struct operation **list, struct error *err)
{
    struct reader reader = { .mem = mem, .capacity = (size_t)limit };

    reader.items = arena_array(mem, reader.capacity, sizeof(*reader.items));
    int count =
        db_query(db,
                 only_running ? "SELECT " COLUMNS " FROM operation WHERE state = 'running'"
                                " ORDER BY started_ms LIMIT ?"
                              : "SELECT " COLUMNS " FROM operation ORDER BY id DESC LIMIT ?",
                 ARGS(I64(limit)), read_row, &reader, err);
    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_intent_insert(struct db *db, const char *object, const char *operation_id,
                        struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *holder = NULL;
    int rc = db_exec(db, "INSERT INTO intent (object, operation_id) VALUES (?, ?)",
                     ARGS(TEXT(object), TEXT(operation_id)), err);

    if (rc >= 0 || err->code != ERR_EXISTS)
        return rc;
    struct error ignored; /* the holder's name is a courtesy */
    (void)db_query_text(db, mem,
                        "SELECT o.kind || ' ' || o.id FROM intent i"
                        " JOIN operation o ON o.id = i.operation_id WHERE i.object = ?",
                        ARGS(TEXT(object)), &holder, &ignored);
    return fail(err, ERR_BUSY, "%s is held by operation %s; try again", object,
                holder != NULL ? holder : "?");
}

int store_operation_mentions(struct db *db, const char *name, struct error *err)
{
    int64_t is_mentioned = 0;

    if (db_query_i64(db,
                     "SELECT EXISTS (SELECT 1 FROM operation WHERE state = 'running'"
                     " AND instr(note, ?) > 0)",
                     ARGS(TEXT(name)), &is_mentioned, err) < 0)
        return -1;
    return (int)is_mentioned;
}

int store_operation_prune(struct db *db, int keep, struct error *err)
{
    return db_exec(db,
                   "DELETE FROM operation WHERE state <> 'running' AND id <"
                   " (SELECT id FROM operation ORDER BY id DESC LIMIT 1 OFFSET ?)",
                   ARGS(I64(keep)), err);
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    (void)err;
    if (reader->count == reader->capacity)
        return 1;
    reader->items[reader->count++] = (struct operation){
        .id = row_text(row, 0, mem),
        .kind = row_text(row, 1, mem),
        .subject = row_text(row, 2, mem),
        .state = row_text(row, 3, mem),
        .step = row_i64(row, 4),
        .note = row_text(row, 5, mem),
        .actor = row_text(row, 6, mem),
        .idempotency_key = row_text(row, 7, mem),
        .result = row_text(row, 8, mem),
        .error_code = row_text(row, 9, mem),
        .error_message = row_text(row, 10, mem),
        .started_ms = row_i64(row, 11),
        .finished_ms = row_i64(row, 12),
    };
    return 0;
}
