/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to the database, statements with typed arguments, and transactions.  Each thread
 * has its own connection; writers take a process-wide lock first, so that SQLITE_BUSY does not
 * happen.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

struct db;
struct row; /* the present row of a query */

/* Opens (and creates) 'path': WAL, synchronous=FULL, foreign keys on. */
struct db *db_open(const char *path, struct error *err);
void db_close(struct db *db);
void db_cleanup(struct db **db);
#define cleanup_db CLEANUP(db_cleanup)

/*
 * Copies the write-ahead log into the database when it has grown long, which a commit then need not
 * do.  To be called when nobody waits; nothing depends on it, and a failure only leaves the log
 * longer.
 */
void db_checkpoint_if_due(struct db *db);
bool db_checkpoint_is_due(const struct db *db);

/* PRAGMA quick_check; CORRUPT with its first finding. */
int db_quick_check(struct db *db, struct error *err);

/* --- arguments, type-checked without a format string --- */
enum db_arg_type {
    DB_NULL,
    DB_I64,
    DB_TEXT
};

struct db_arg {
    enum db_arg_type type;
    int64_t number;
    const char *text;
};

struct db_args {
    size_t count;
    const struct db_arg *items;
};

#define TEXT(value) ((struct db_arg){ .type = DB_TEXT, .text = (value) }) /* NULL binds NULL */
#define I64(value)  ((struct db_arg){ .type = DB_I64, .number = (value) })
#define ARGS(...)                                                                                 \
    ((struct db_args){ .count = sizeof((struct db_arg[]){ __VA_ARGS__ }) / sizeof(struct db_arg), \
                       .items = (struct db_arg[]){ __VA_ARGS__ } })
#define NO_ARGS ((struct db_args){ 0 })

/*
 * Runs one statement that returns no rows.  Returns the number of rows changed.  Outside a
 * transaction it is one by itself.  A UNIQUE violation is EXISTS, a foreign key one CONFLICT, a
 * full disk NO_SPACE.
 */
int db_exec(struct db *db, const char *sql, struct db_args args, struct error *err);

/*
 * Runs a query; each() is called a row, and stops it early by returning 1 (or -1 with err filled).
 * Returns the number of rows seen.  each() must not write with the same connection.
 */
typedef int (*db_row_fn)(const struct row *row, void *context, struct error *err);
int db_query(struct db *db, const char *sql, struct db_args args, db_row_fn each, void *context,
             struct error *err);

/* A query for one number: 0 when there is no row or it is NULL. */
int db_query_i64(struct db *db, const char *sql, struct db_args args, int64_t *value,
                 struct error *err);

/* A query for one text: *text NULL when there is no row or it is NULL. */
int db_query_text(struct db *db, struct arena *mem, const char *sql, struct db_args args,
                  const char **text, struct error *err);

int64_t row_i64(const struct row *row, int column);
bool row_bool(const struct row *row, int column);

/* Copied into 'mem'; NULL for NULL. */
const char *row_text(const struct row *row, int column, struct arena *mem);

/* --- transactions --- */
struct tx {
    struct db *db;   /* NULL: none is open */
    bool is_refused; /* the commit failed, and no crash can make it found committed */
};

/* BEGIN IMMEDIATE under the process-wide write lock. */
int tx_begin(struct tx *tx, struct db *db, struct error *err);

/* Durable on return. */
int tx_commit(struct tx *tx, struct error *err);

/* Rolls back unless committed. */
void tx_cleanup(struct tx *tx);
#define cleanup_tx CLEANUP(tx_cleanup)

bool db_is_in_tx(const struct db *db);

#endif
