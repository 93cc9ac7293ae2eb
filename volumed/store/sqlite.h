/* SPDX-License-Identifier: Apache-2.0 */
/* What store's own files share about SQLite itself; not for the other floors. */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/error.h"

struct db;

sqlite3 *db_handle(struct db *db);

/* Fills err from the handle's last error and returns -1. */
int sqlite_fail(sqlite3 *handle, struct error *err, const char *what);

/* After a commit that failed: true when a crash cannot make it found committed. */
bool sqlite_is_refused(sqlite3 *handle);

#endif
