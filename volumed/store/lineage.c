/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of lineage. */
#include "store/lineage.h"

#define COLUMNS \
    "child_id, child_name, relation, parent_kind, parent_id, parent_name, detail, time_ms"

/* A snapshot's cut, from its own row.  What is in the trash has its name there. */
#define CUTS                                                                                  \
    "SELECT s.id, coalesce(st.name, coalesce(vt.name, v.name) || '@' || s.name), 'cut',"      \
    " 'volume', v.id, coalesce(vt.name, v.name), json_object('reason', s.reason),"            \
    " s.created_ms FROM snapshot s JOIN volume v ON v.id = s.volume_id LEFT JOIN trash st ON" \
    " st.id = s.id LEFT JOIN trash vt ON vt.id = v.id"

struct reader {
    struct arena *mem;
    struct lineage_edge *items;
    size_t count;
    size_t capacity;
};

static int read_row(const struct row *row, void *context, struct error *err);

int store_lineage_insert(struct db *db, const struct lineage_edge *edge, struct error *err)
{
    return db_exec(db,
                   "INSERT OR IGNORE INTO lineage (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                   ARGS(TEXT(edge->child_id), TEXT(edge->child_name), TEXT(edge->relation),
                        TEXT(edge->parent_kind), TEXT(edge->parent_id), TEXT(edge->parent_name),
                        TEXT(edge->detail != NULL ? edge->detail : "{}"), I64(edge->time_ms)),
                   err);
}

int store_lineage_insert_foreign(struct db *db, const struct lineage_edge *edge, struct error *err)
{
    return db_exec(db,
                   "INSERT OR IGNORE INTO lineage (" COLUMNS ") SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7,"
                   " ?8 WHERE NOT EXISTS (SELECT 1 FROM volume WHERE id = ?1) AND NOT EXISTS"
                   " (SELECT 1 FROM snapshot WHERE id = ?1)",
                   ARGS(TEXT(edge->child_id), TEXT(edge->child_name), TEXT(edge->relation),
                        TEXT(edge->parent_kind), TEXT(edge->parent_id), TEXT(edge->parent_name),
                        TEXT(edge->detail), I64(edge->time_ms)),
                   err);
}

int store_lineage_insert_writer(struct db *db, const char *container_id, int64_t time_ms,
                                struct error *err)
{
    return db_exec(
        db,
        "INSERT INTO lineage (" COLUMNS ") SELECT DISTINCT v.id, v.name, 'written', 'container',"
        " c.id, c.name, json_object('image', c.image_name, 'image_id', c.image_id, 'generation',"
        " c.generation), ?2 FROM attachment a JOIN volume v ON v.id = a.volume_id JOIN container c"
        " ON c.id = a.container_id WHERE c.id = ?1 AND a.mode <> 'ro' AND NOT EXISTS"
        " (SELECT 1 FROM lineage l WHERE l.child_id = v.id AND l.relation = 'written' AND"
        " l.parent_id = c.id AND l.detail ->> 'generation' = c.generation)",
        ARGS(TEXT(container_id), I64(time_ms)), err);
}

int store_lineage_list(struct db *db, struct arena *mem, const char *child_id,
                       struct lineage_edge **list, struct error *err)
{
    struct reader reader = { .mem = mem };
    int count = db_query(db,
                         "SELECT " COLUMNS " FROM lineage WHERE ?1 IS NULL OR child_id = ?1"
                         " UNION ALL " CUTS " WHERE ?1 IS NULL OR s.id = ?1"
                         " ORDER BY 8 DESC, 1, 3, 5",
                         ARGS(TEXT(child_id)), read_row, &reader, err);

    if (count >= 0)
        *list = reader.items;
    return count;
}

int store_lineage_prune(struct db *db, struct error *err)
{
    return db_exec(db,
                   "DELETE FROM lineage WHERE child_id NOT IN (WITH RECURSIVE kept (id) AS"
                   " (SELECT id FROM volume UNION SELECT id FROM snapshot UNION"
                   " SELECT l.parent_id FROM lineage l JOIN kept ON l.child_id = kept.id)"
                   " SELECT id FROM kept)",
                   NO_ARGS, err);
}

static int read_row(const struct row *row, void *context, struct error *err)
{
    struct reader *reader = context;
    struct arena *mem = reader->mem;

    (void)err;
    if (reader->count == reader->capacity)
        reader->items = arena_grow(mem, reader->items, &reader->capacity, sizeof(*reader->items));
    reader->items[reader->count++] = (struct lineage_edge){
        .child_id = row_text(row, 0, mem),
        .child_name = row_text(row, 1, mem),
        .relation = row_text(row, 2, mem),
        .parent_kind = row_text(row, 3, mem),
        .parent_id = row_text(row, 4, mem),
        .parent_name = row_text(row, 5, mem),
        .detail = row_text(row, 6, mem),
        .time_ms = row_i64(row, 7),
    };
    return 0;
}
