/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of policies. */
#include "store/policy.h"

#define COLUMNS                                                                             \
    "p.id, p.name, p.schedule, p.keep, p.jitter_ms, p.target_kind,"                         \
    " CASE WHEN v.state = 'ready' THEN v.name ELSE p.target END, p.volume_id,"              \
    " coalesce(v.state, 'ready') <> 'ready', p.created_ms, p.due_ms, p.next_ms, p.last_ms," \
    " p.failures, p.error FROM policy p LEFT JOIN volume v ON v.id = p.volume_id"

struct reader {
    struct arena *mem;
    struct policy *items;
    size_t count;
    size_t capacity;
};

static int list(struct db *db, struct arena *mem, const char *sql, struct db_args args,
                struct policy **policies, struct error *err);
static int read_row(const struct row *row, void *context, struct error *err);

int store_policy_insert(struct db *db, const struct policy *policy, struct error *err)
{
    return db_exec(db,
                   "INSERT INTO policy (id, name, schedule, keep, jitter_ms, target_kind, target,"
                   " volume_id, created_ms, due_ms, next_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                   " ?)",
                   ARGS(TEXT(policy->id), TEXT(policy->name), TEXT(policy->schedule),
                        TEXT(policy->keep), I64(policy->jitter_ms), TEXT(policy->target_kind),
                        TEXT(policy->target), TEXT(policy->volume_id), I64(policy->created_ms),
                        I64(policy->due_ms), I64(policy->next_ms)),
                   err);
}

int store_policy_find(struct db *db, struct arena *mem, const char *ref, struct policy *policy,
                      struct error *err)
{
    struct reader reader = { .mem = mem, .items = policy, .capacity = 1 };

    return db_query(db,
                    "SELECT " COLUMNS " WHERE p.name = ?1 OR p.id = ?1"
                    " ORDER BY p.name = ?1 DESC LIMIT 1",
                    ARGS(TEXT(ref)), read_row, &reader, err);
}

int store_policy_list(struct db *db, struct arena *mem, struct policy **policies, struct error *err)
{
    return list(db, mem, "SELECT " COLUMNS " ORDER BY p.name", NO_ARGS, policies, err);
}

int store_policy_list_due(struct db *db, struct arena *mem, int64_t now_ms,
                          struct policy **policies, struct error *err)
{
    return list(db, mem,
                "SELECT " COLUMNS " WHERE p.next_ms <= ? AND coalesce(v.state, 'ready') = 'ready'"
                " ORDER BY p.next_ms, p.name",
                ARGS(I64(now_ms)), policies, err);
}

int store_policy_next(struct db *db, int64_t *next_ms, struct error *err)
{
    return db_query_i64(db,
                        "SELECT min(p.next_ms) FROM policy p LEFT JOIN volume v"
                        " ON v.id = p.volume_id WHERE coalesce(v.state, 'ready') = 'ready'",
                        NO_ARGS, next_ms, err);
}

int store_policy_set_run(struct db *db, const struct policy *policy, struct error *err)
{
    int changed = db_exec(db,
                          "UPDATE policy SET due_ms = ?, next_ms = ?, last_ms = ?, failures = ?,"
                          " error = ? WHERE id = ?",
                          ARGS(I64(policy->due_ms), I64(policy->next_ms), I64(policy->last_ms),
                               I64(policy->failures), TEXT(policy->error), TEXT(policy->id)),
                          err);

    return changed < 0 ? -1 : 0;
}

int store_policy_delete(struct db *db, const char *id, struct error *err)
{
    int changed = db_exec(db, "DELETE FROM policy WHERE id = ?", ARGS(TEXT(id)), err);

    if (changed == 0)
        return fail(err, ERR_CONFLICT, "the policy was removed meanwhile");
    return changed < 0 ? -1 : 0;
}

static int list(struct db *db, struct arena *mem, const char *sql, struct db_args args,
                struct policy **policies, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db, sql, args, read_row, &reader, err);

    if (count >= 0)
        *policies = reader.items;
    return count;
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    (void)err;
    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    reader->items[reader->count++] = (struct policy){
        .id = row_text(row, 0, mem),
        .name = row_text(row, 1, mem),
        .schedule = row_text(row, 2, mem),
        .keep = row_text(row, 3, mem),
        .jitter_ms = row_i64(row, 4),
        .target_kind = row_text(row, 5, mem),
        .target = row_text(row, 6, mem),
        .volume_id = row_text(row, 7, mem),
        .is_dormant = row_bool(row, 8),
        .created_ms = row_i64(row, 9),
        .due_ms = row_i64(row, 10),
        .next_ms = row_i64(row, 11),
        .last_ms = row_i64(row, 12),
        .failures = row_i64(row, 13),
        .error = row_text(row, 14, mem),
    };
    return 0;
}
