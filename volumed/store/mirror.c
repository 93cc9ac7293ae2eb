/* SPDX-License-Identifier: Apache-2.0 */
/* Statements are made from the schema as it is, so that a new column needs no word here. */
#include "store/mirror.h"

#include <string.h>

#include "base/buf.h"
#include "store/sqlite.h"

#define OF_VOLUMES "volume_id IN (SELECT id FROM volume WHERE pool_id = ?1)"

/* In the order of references: a row comes after what it refers to.  ?1 is the pool's id. */
static const struct table {
    const char *name;
    const char *where;
} tables[] = {
    { "pool", "id = ?1" },
    { "pool_disk", "pool_id = ?1" },
    { "pool_mark", "pool_id = ?1" },
    { "project", "pool_id = ?1" },
    { "volume", "pool_id = ?1" },
    { "volume_access", OF_VOLUMES },
    { "snapshot_set", "id IN (SELECT set_id FROM snapshot WHERE pool_id = ?1)" },
    { "snapshot", "pool_id = ?1" },
    { "snapshot_hold", "snapshot_id IN (SELECT id FROM snapshot WHERE pool_id = ?1)" },
    { "trash", "pool_id = ?1" },
    /* Those for no volume in particular are the whole service's: they go with the default pool. */
    { "policy", OF_VOLUMES " OR (volume_id IS NULL AND"
                           " (SELECT is_default FROM pool WHERE id = ?1))" },
    { "lineage", "child_id IN (SELECT id FROM volume WHERE pool_id = ?1"
                 " UNION ALL SELECT id FROM snapshot WHERE pool_id = ?1)" },
};

static void statement_done(sqlite3_stmt **statement);
static int read_table(struct db *db, const struct table *table, const char *pool_id,
                      sqlite3_stmt **statement, struct error *err);
static json_t *row_to_json(sqlite3_stmt *statement);
static int prepare_insert(struct db *db, const char *table, json_t *row, sqlite3_stmt **statement,
                          struct error *err);
static bool has_column(struct db *db, const char *table, const char *column);
static int bind_value(sqlite3_stmt *statement, int index, const json_t *value);

int store_mirror_read(struct db *db, const char *pool_id, mirror_row_fn each, void *context,
                      struct error *err)
{
    for (size_t i = ARRAY_SIZE(tables); i-- > 0;) {
        CLEANUP(statement_done) sqlite3_stmt *statement = NULL;
        int step;
        if (read_table(db, &tables[i], pool_id, &statement, err) < 0)
            return -1;
        while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
            cleanup_json json_t *row = row_to_json(statement);
            if (each(context, tables[i].name, row, err) < 0)
                return -1;
        }
        if (step != SQLITE_DONE)
            return sqlite_fail(db_handle(db), err, "cannot read rows");
    }
    return 0;
}

int store_mirror_rank(const char *table)
{
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        if (strcmp(tables[i].name, table) == 0)
            return (int)i;
    return -1;
}

int store_mirror_rank_count(void)
{
    return (int)ARRAY_SIZE(tables);
}

int store_mirror_insert(struct db *db, const char *table, json_t *row, struct error *err)
{
    CLEANUP(statement_done) sqlite3_stmt *statement = NULL;
    const char *column;
    json_t *value;
    int index = 1;

    if (prepare_insert(db, table, row, &statement, err) < 0)
        return -1;
    json_object_foreach(row, column, value)
    {
        if (!has_column(db, table, column))
            continue;
        if (bind_value(statement, index++, value) != SQLITE_OK)
            return fail(err, ERR_INVALID, "column '%s' of a '%s' cannot be read", column, table);
    }
    if (sqlite3_step(statement) != SQLITE_DONE)
        return sqlite_fail(db_handle(db), err, "cannot insert a row");
    return 0;
}

int store_mirror_changes(struct db *db, int64_t seq, int64_t *count, struct error *err)
{
    return db_query_i64(db,
                        "SELECT count(*) FROM event WHERE seq > ? AND type NOT IN ('container',"
                        " 'image', 'network', 'daemon', 'operation')"
                        " AND action NOT IN ('mount', 'unmount')",
                        ARGS(I64(seq)), count, err);
}

static void statement_done(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement); /* repeats an error told before */
}

static int read_table(struct db *db, const struct table *table, const char *pool_id,
                      sqlite3_stmt **statement, struct error *err)
{
    cleanup_buf struct buf sql = { 0 };

    buf_printf(&sql, "SELECT * FROM %s WHERE %s", table->name, table->where);
    if (sqlite3_prepare_v2(db_handle(db), sql.data, -1, statement, NULL) != SQLITE_OK ||
        sqlite3_bind_text(*statement, 1, pool_id, -1, SQLITE_STATIC) != SQLITE_OK)
        return sqlite_fail(db_handle(db), err, "cannot read rows");
    return 0;
}

static json_t *row_to_json(sqlite3_stmt *statement)
{
    json_t *row = json_object();

    for (int i = 0; i < sqlite3_column_count(statement); i++) {
        json_t *value = json_null();
        if (sqlite3_column_type(statement, i) == SQLITE_INTEGER)
            value = json_integer(sqlite3_column_int64(statement, i));
        else if (sqlite3_column_type(statement, i) != SQLITE_NULL)
            value = json_text((const char *)sqlite3_column_text(statement, i));
        json_set(row, sqlite3_column_name(statement, i), value);
    }
    return row;
}

/* Names go into the text only when the schema has them. */
static int prepare_insert(struct db *db, const char *table, json_t *row, sqlite3_stmt **statement,
                          struct error *err)
{
    cleanup_buf struct buf sql = { 0 };
    cleanup_buf struct buf marks = { 0 };
    const char *column;
    json_t *value;

    if (store_mirror_rank(table) < 0)
        return fail(err, ERR_INVALID, "there is no table '%s'", table);
    buf_printf(&sql, "INSERT INTO %s (", table);
    json_object_foreach(row, column, value)
    {
        if (!has_column(db, table, column))
            continue;
        buf_printf(&sql, "%s%s", marks.size > 0 ? ", " : "", column);
        buf_text(&marks, marks.size > 0 ? ", ?" : "?");
    }
    if (marks.size == 0)
        return fail(err, ERR_INVALID, "a '%s' without columns", table);
    buf_printf(&sql, ") VALUES (%s)", marks.data);
    if (sqlite3_prepare_v2(db_handle(db), sql.data, -1, statement, NULL) != SQLITE_OK)
        return sqlite_fail(db_handle(db), err, "cannot insert a row");
    return 0;
}

static bool has_column(struct db *db, const char *table, const char *column)
{
    return sqlite3_table_column_metadata(db_handle(db), NULL, table, column, NULL, NULL, NULL, NULL,
                                         NULL) == SQLITE_OK;
}

static int bind_value(sqlite3_stmt *statement, int index, const json_t *value)
{
    if (json_is_null(value))
        return sqlite3_bind_null(statement, index);
    if (json_is_integer(value))
        return sqlite3_bind_int64(statement, index, json_integer_value(value));
    if (json_is_string(value))
        return sqlite3_bind_text(statement, index, json_string_value(value), -1, SQLITE_TRANSIENT);
    return SQLITE_MISMATCH;
}
