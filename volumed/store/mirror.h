/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool's rows as JSON and back, for the copy that a pool keeps of them itself.  Which tables and
 * which of their rows is one table (mirror.c): what is to outlive the database gets a line there,
 * and whatever changes it writes an event.
 */
#ifndef STORE_MIRROR_H
#define STORE_MIRROR_H

#include "base/json.h"
#include "store/db.h"

/* Called with each row as {column: value}; borrowed. */
typedef int (*mirror_row_fn)(void *context, const char *table, const json_t *row,
                             struct error *err);

/* All rows of a pool.  A row that refers to another comes before it: it may go meanwhile. */
int store_mirror_read(struct db *db, const char *pool_id, mirror_row_fn each, void *context,
                      struct error *err);

/* Where a table stands in the order in which rows can be inserted; -1: it is none of these. */
int store_mirror_rank(const char *table);
int store_mirror_rank_count(void);

/*
 * Inserts a row, in the caller's transaction.  Columns that this schema lacks are left out.  EXISTS
 * and CONFLICT as of any insert; INVALID for a value that is neither text, number nor null.
 */
int store_mirror_insert(struct db *db, const char *table, json_t *row, struct error *err);

/* Events after 'seq' that tell of a change to such rows. */
int store_mirror_changes(struct db *db, int64_t seq, int64_t *count, struct error *err);

#endif
