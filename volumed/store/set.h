/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of sets.  Their members are snapshots (store/snapshot.h); a row goes with the last. */
#ifndef STORE_SET_H
#define STORE_SET_H

#include "model/set.h"
#include "store/db.h"

/* EXISTS: the name is taken. */
int store_set_insert(struct db *db, const struct snapshot_set *set, struct error *err);

/* By name, else by id, without the members.  Returns how many were found (0 or 1). */
int store_set_find(struct db *db, struct arena *mem, const char *ref, struct snapshot_set *set,
                   struct error *err);

/* Oldest first, without the members.  Returns the count. */
int store_set_list(struct db *db, struct arena *mem, struct snapshot_set **list, struct error *err);

/* BUSY, naming the operation, when one holds the set still. */
int store_set_check_free(struct db *db, const struct snapshot_set *set, struct error *err);

#endif
