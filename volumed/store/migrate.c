/* SPDX-License-Identifier: Apache-2.0 */
/* Applies what the database has not seen; PRAGMA user_version counts. */
#include "store/migrate.h"

#include <stdio.h>

#include "store/db.h"
#include "store/sqlite.h"

static int apply(struct db *db, int number, struct error *err);

int migrate(struct db *db, struct error *err)
{
    int64_t version = 0;

    if (db_query_i64(db, "PRAGMA user_version", NO_ARGS, &version, err) < 0)
        return -1;
    if (version > migration_count)
        return fail(err, ERR_CONFLICT,
                    "database has version %ld, this volumed knows up to %d: use a newer volumed",
                    (long)version, migration_count);
    for (int number = (int)version + 1; number <= migration_count; number++)
        if (apply(db, number, err) < 0)
            return error_prefix(err, "migration '%s'", migrations[number - 1].name);
    return 0;
}

static int apply(struct db *db, int number, struct error *err)
{
    cleanup_tx struct tx tx = { 0 };
    char pragma[48];

    /* user_version takes no bound argument; the number is ours. */
    (void)snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", number);
    if (tx_begin(&tx, db, err) < 0)
        return -1;
    if (sqlite3_exec(db_handle(db), migrations[number - 1].sql, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(db_handle(db), pragma, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fail(db_handle(db), err, "cannot apply");
    return tx_commit(&tx, err);
}
