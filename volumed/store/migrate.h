/* SPDX-License-Identifier: Apache-2.0 */
/* The schema's history, embedded in the binary (tools/dev/embed-sql writes the table). */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "base/error.h"

struct db;

struct migration {
    const char *name;
    const char *sql;
};

extern const struct migration migrations[];
extern const int migration_count;

/*
 * Brings the database to the newest version, each migration in a transaction of its own.  A
 * database newer than this program is refused (CONFLICT).
 */
int migrate(struct db *db, struct error *err);

#endif
