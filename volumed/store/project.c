/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of project numbers. */
#include "store/project.h"

struct reader {
    struct arena *mem;
    struct project *items;
    size_t count;
    size_t capacity;
};

static int read_row(const struct row *row, void *context, struct error *err);

int store_project_find(struct db *db, const char *data_id, int64_t *id, struct error *err)
{
    return db_query_i64(db, "SELECT id FROM project WHERE data_id = ?", ARGS(TEXT(data_id)), id,
                        err);
}

int store_project_last(struct db *db, int64_t *id, struct error *err)
{
    return db_query_i64(db, "SELECT max(id) FROM project", NO_ARGS, id, err);
}

int store_project_insert(struct db *db, const struct project *project, struct error *err)
{
    int rc = db_exec(db, "INSERT INTO project (id, pool_id, data_id) VALUES (?, ?, ?)",
                     ARGS(I64(project->id), TEXT(project->pool_id), TEXT(project->data_id)), err);

    return rc < 0 ? -1 : 0;
}

int store_project_delete(struct db *db, int64_t id, struct error *err)
{
    return db_exec(db, "DELETE FROM project WHERE id = ?", ARGS(I64(id)), err) < 0 ? -1 : 0;
}

int store_project_list(struct db *db, struct arena *mem, const char *pool_id, struct project **list,
                       struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db, "SELECT id, pool_id, data_id FROM project WHERE pool_id = ?",
                         ARGS(TEXT(pool_id)), read_row, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    (void)err;
    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    reader->items[reader->count++] = (struct project){
        .id = row_i64(row, 0),
        .pool_id = row_text(row, 1, mem),
        .data_id = row_text(row, 2, mem),
    };
    return 0;
}
