/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection, its statement cache, and transactions.  The only file, with migrate.c, that sees
 * sqlite3.h.
 *
 * Statements are cached by the address of their text: SQL is always a literal where its columns are
 * read.  A statement that is in use (a query inside a query's callback) is prepared anew.
 */
#include "store/db.h"

#include <assert.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/fault.h"
#include "base/thread.h"
#include "store/sqlite.h"

#define CACHE_SIZE      128
#define WAL_LONG        1000  /* pages: a checkpoint is due */
#define WAL_TOO_LONG    4000  /* pages: it cannot wait for a rest any more */
#define BUSY_TIMEOUT_MS 30000 /* only a foreign process (a backup) can make us wait */

struct cached {
    const char *sql;
    sqlite3_stmt *stmt;
    bool is_in_use;
};

struct db {
    sqlite3 *handle;
    bool is_in_tx;
    int wal_pages; /* length of the log after our last commit */
    struct cached cache[CACHE_SIZE];
};

struct row {
    sqlite3_stmt *stmt;
};

struct statement {
    sqlite3_stmt *stmt;
    struct cached *home; /* NULL: finalized after use */
};

/* SQLite has one writer; waiting here is fair and never SQLITE_BUSY. */
static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;

static int set_up(struct db *db, const char *path, struct error *err);
static const char *choose_vfs(const char *path);
static int note_wal(void *context, sqlite3 *handle, const char *name, int pages);
static void checkpoint(sqlite3 *handle);
static int statement_take(struct db *db, struct statement *statement, const char *sql,
                          struct error *err);
static void statement_give(struct statement *statement);
#define cleanup_statement CLEANUP(statement_give)
static int bind(sqlite3_stmt *stmt, struct db_args args);
static int exec_in_tx(struct db *db, const char *sql, struct db_args args, struct error *err);
static int step(struct db *db, const char *sql, struct error *err);

struct db *db_open(const char *path, struct error *err)
{
    struct db *db = mem_alloc(sizeof(*db));

    if (set_up(db, path, err) < 0) {
        db_close(db);
        return NULL;
    }
    return db;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < CACHE_SIZE; i++)
        (void)sqlite3_finalize(db->cache[i].stmt); /* repeats an error told before */
    (void)sqlite3_close(db->handle);               /* nothing is left open that could refuse */
    free(db);
}

void db_cleanup(struct db **db)
{
    db_close(*db);
}

sqlite3 *db_handle(struct db *db)
{
    return db->handle;
}

bool db_checkpoint_is_due(const struct db *db)
{
    return db->wal_pages >= WAL_LONG;
}

void db_checkpoint_if_due(struct db *db)
{
    if (!db_checkpoint_is_due(db))
        return;
    db->wal_pages = 0;
    checkpoint(db->handle);  /* the bulk of it, while others write */
    LOCK_SCOPE(&write_lock); /* then what they wrote meanwhile, so that the log can start anew */
    checkpoint(db->handle);
}

static int first_finding(const struct row *row, void *context, struct error *err)
{
    const char *text = (const char *)sqlite3_column_text(row->stmt, 0);

    (void)context;
    if (text != NULL && strcmp(text, "ok") == 0)
        return 0;
    return fail(err, ERR_CORRUPT, "database is damaged: %s", text != NULL ? text : "?");
}

int db_quick_check(struct db *db, struct error *err)
{
    return db_query(db, "PRAGMA quick_check(1)", NO_ARGS, first_finding, NULL, err) < 0 ? -1 : 0;
}

int db_exec(struct db *db, const char *sql, struct db_args args, struct error *err)
{
    cleanup_tx struct tx tx = { 0 };

    if (db->is_in_tx)
        return exec_in_tx(db, sql, args, err);
    if (tx_begin(&tx, db, err) < 0)
        return -1;
    int changed = exec_in_tx(db, sql, args, err);
    if (changed < 0 || tx_commit(&tx, err) < 0)
        return -1;
    return changed;
}

int db_query(struct db *db, const char *sql, struct db_args args, db_row_fn each, void *context,
             struct error *err)
{
    cleanup_statement struct statement statement = { 0 };
    int count = 0;

    if (statement_take(db, &statement, sql, err) < 0)
        return -1;
    if (bind(statement.stmt, args) != SQLITE_OK)
        return sqlite_fail(db->handle, err, "cannot bind");
    struct row row = { statement.stmt };
    for (;;) {
        int rc = sqlite3_step(statement.stmt);
        if (rc == SQLITE_DONE)
            return count;
        if (rc != SQLITE_ROW)
            return sqlite_fail(db->handle, err, "cannot read the database");
        count++;
        int more = each(&row, context, err);
        if (more != 0)
            return more < 0 ? -1 : count;
    }
}

static int take_i64(const struct row *row, void *context, struct error *err)
{
    (void)err;
    *(int64_t *)context = row_i64(row, 0);
    return 1;
}

int db_query_i64(struct db *db, const char *sql, struct db_args args, int64_t *value,
                 struct error *err)
{
    *value = 0;
    return db_query(db, sql, args, take_i64, value, err) < 0 ? -1 : 0;
}

struct text_target {
    struct arena *mem;
    const char *text;
};

static int take_text(const struct row *row, void *context, struct error *err)
{
    struct text_target *target = context;

    (void)err;
    target->text = row_text(row, 0, target->mem);
    return 1;
}

int db_query_text(struct db *db, struct arena *mem, const char *sql, struct db_args args,
                  const char **text, struct error *err)
{
    struct text_target target = { .mem = mem };

    if (db_query(db, sql, args, take_text, &target, err) < 0)
        return -1;
    *text = target.text;
    return 0;
}

int64_t row_i64(const struct row *row, int column)
{
    return sqlite3_column_int64(row->stmt, column);
}

bool row_bool(const struct row *row, int column)
{
    return sqlite3_column_int(row->stmt, column) != 0;
}

const char *row_text(const struct row *row, int column, struct arena *mem)
{
    const char *text = (const char *)sqlite3_column_text(row->stmt, column);

    return arena_strdup(mem, text);
}

int tx_begin(struct tx *tx, struct db *db, struct error *err)
{
    assert(!db->is_in_tx);
    (void)lock_take(&write_lock);
    if (FAULT_POINT() < 0 || step(db, "BEGIN IMMEDIATE", err) < 0) {
        (void)pthread_mutex_unlock(&write_lock);
        return sqlite_fail(db->handle, err, "cannot begin a transaction");
    }
    db->is_in_tx = true;
    tx->db = db;
    return 0;
}

int tx_commit(struct tx *tx, struct error *err)
{
    struct db *db = tx->db;

    assert(db != NULL);
    if (FAULT_POINT() < 0)
        return fail(err, ERR_SYSTEM, "cannot commit: injected fault");
    if (step(db, "COMMIT", err) < 0) {
        tx->is_refused = sqlite_is_refused(db->handle);
        return sqlite_fail(db->handle, err, "cannot commit"); /* tx_cleanup rolls back */
    }
    db->is_in_tx = false;
    tx->db = NULL;
    (void)pthread_mutex_unlock(&write_lock);
    FAULT_CRASH_POINT();
    return 0;
}

void tx_cleanup(struct tx *tx)
{
    struct db *db = tx->db;

    if (db == NULL)
        return;
    /* Fails when SQLite has rolled back by itself already (a full disk): all the same to us. */
    (void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    db->is_in_tx = false;
    tx->db = NULL;
    (void)pthread_mutex_unlock(&write_lock);
}

bool db_is_in_tx(const struct db *db)
{
    return db->is_in_tx;
}

static int set_up(struct db *db, const char *path, struct error *err)
{
    static const char *const pragmas[] = {
        "PRAGMA journal_mode = WAL",  "PRAGMA synchronous = FULL", /* NORMAL in WAL may lose the
                                                                      last commits on power loss */
        "PRAGMA foreign_keys = ON",   "PRAGMA trusted_schema = OFF", "PRAGMA cache_size = -256",
        "PRAGMA temp_store = MEMORY",
    };
    int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;

    if (sqlite3_open_v2(path, &db->handle, flags, choose_vfs(path)) != SQLITE_OK)
        return sqlite_fail(db->handle, err, "cannot open the database");
    (void)sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    (void)sqlite3_wal_hook(db->handle, note_wal, db); /* instead of SQLite's own checkpoints */
    for (size_t i = 0; i < ARRAY_SIZE(pragmas); i++)
        if (sqlite3_exec(db->handle, pragmas[i], NULL, NULL, NULL) != SQLITE_OK)
            return sqlite_fail(db->handle, err, "cannot open the database");
    return 0;
}

/*
 * SQLite maps its index of the log (-shm) into memory.  Writing to a mapped page of a file on btrfs
 * needs a new block, and where there is none the kernel can but kill us (SIGBUS).  There the index
 * is kept in our own memory, at the price that no other process can read the database meanwhile.
 */
static const char *choose_vfs(const char *path)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *base = strrchr(path, '/');
    struct statfs fs;
    const char *directory =
        base == NULL ? "." : arena_strndup(mem, path, (size_t)(base - path) + 1);

    return statfs(directory, &fs) == 0 && fs.f_type == BTRFS_SUPER_MAGIC ? "unix-excl" : NULL;
}

/* Called by SQLite after each commit; the write lock is held. */
static int note_wal(void *context, sqlite3 *handle, const char *name, int pages)
{
    struct db *db = context;

    (void)name;
    db->wal_pages = pages;
    if (pages >= WAL_TOO_LONG)
        checkpoint(handle);
    return SQLITE_OK;
}

/* Waits for nobody: what a reader still needs stays in the log, and so does all of it on failure.
 */
static void checkpoint(sqlite3 *handle)
{
    (void)sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

static struct cached *cache_slot(struct db *db, const char *sql)
{
    size_t start = ((uintptr_t)sql / 8) % CACHE_SIZE;

    for (size_t i = 0; i < CACHE_SIZE; i++) {
        struct cached *slot = &db->cache[(start + i) % CACHE_SIZE];
        if (slot->sql == sql)
            return slot->is_in_use ? NULL : slot;
        if (slot->sql == NULL)
            return slot;
    }
    return NULL;
}

static int statement_take(struct db *db, struct statement *statement, const char *sql,
                          struct error *err)
{
    struct cached *slot = cache_slot(db, sql);

    if (slot != NULL && slot->stmt != NULL && strcmp(sqlite3_sql(slot->stmt), sql) == 0) {
        statement->stmt = slot->stmt;
    } else {
        /* A slot whose text changed under the same address (not a literal) must not be trusted. */
        if (slot != NULL && slot->stmt != NULL)
            slot = NULL;
        unsigned int flags = slot != NULL ? SQLITE_PREPARE_PERSISTENT : 0;
        if (sqlite3_prepare_v3(db->handle, sql, -1, flags, &statement->stmt, NULL) != SQLITE_OK)
            return sqlite_fail(db->handle, err, "cannot prepare a statement");
    }
    if (slot != NULL)
        *slot = (struct cached){ sql, statement->stmt, true };
    statement->home = slot;
    return 0;
}

static void statement_give(struct statement *statement)
{
    if (statement->stmt == NULL)
        return;
    if (statement->home == NULL) {
        (void)sqlite3_finalize(statement->stmt); /* repeats an error told before */
    } else {
        (void)sqlite3_reset(statement->stmt); /* likewise */
        (void)sqlite3_clear_bindings(statement->stmt);
        statement->home->is_in_use = false;
    }
    statement->stmt = NULL;
}

static int bind(sqlite3_stmt *stmt, struct db_args args)
{
    int rc = SQLITE_OK;

    assert(sqlite3_bind_parameter_count(stmt) == (int)args.count);
    for (size_t i = 0; i < args.count && rc == SQLITE_OK; i++) {
        const struct db_arg *arg = &args.items[i];
        int column = (int)i + 1;
        if (arg->type == DB_I64)
            rc = sqlite3_bind_int64(stmt, column, arg->number);
        else if (arg->type == DB_TEXT && arg->text != NULL)
            rc = sqlite3_bind_text(stmt, column, arg->text, -1, SQLITE_STATIC);
        else
            rc = sqlite3_bind_null(stmt, column);
    }
    return rc;
}

/* One that has neither arguments nor rows. */
static int step(struct db *db, const char *sql, struct error *err)
{
    cleanup_statement struct statement statement = { 0 };

    if (statement_take(db, &statement, sql, err) < 0)
        return -1;
    return sqlite3_step(statement.stmt) == SQLITE_DONE ? 0 : -1;
}

static int exec_in_tx(struct db *db, const char *sql, struct db_args args, struct error *err)
{
    cleanup_statement struct statement statement = { 0 };

    if (statement_take(db, &statement, sql, err) < 0)
        return -1;
    if (bind(statement.stmt, args) != SQLITE_OK)
        return sqlite_fail(db->handle, err, "cannot bind");
    if (FAULT_POINT() < 0)
        return fail(err, ERR_SYSTEM, "cannot write the database: injected fault");
    int rc;
    do
        rc = sqlite3_step(statement.stmt);
    while (rc == SQLITE_ROW);
    if (rc != SQLITE_DONE)
        return sqlite_fail(db->handle, err, "cannot write the database");
    return sqlite3_changes(db->handle);
}
