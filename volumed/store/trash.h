/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of the trash.  A thing in it has two: its own, in state 'removing' and out of the way of
 * names, and one here that says what it was called.  Who lists volumes and snapshots sees neither.
 */
#ifndef STORE_TRASH_H
#define STORE_TRASH_H

#include "model/trash.h"
#include "store/db.h"

/* In a transaction: takes the name from the entry's own row and notes it here.  CONFLICT: it is no
 * more. */
int store_trash_put(struct db *db, const struct trash_entry *entry, struct error *err);

/* In a transaction: gives the row back under 'name' (a snapshot's is without its volume's).
 * EXISTS: the name is taken.  CONFLICT: it is in the trash no more. */
int store_trash_restore(struct db *db, const struct trash_entry *entry, const char *name,
                        struct error *err);

/*
 * In a transaction: forgets it for good, a volume with all of its snapshots.  CONFLICT: it is in
 * the trash no more, or something still refers to it.
 */
int store_trash_delete(struct db *db, const struct trash_entry *entry, struct error *err);

/* By id, else the newest of that name.  Returns how many were found (0 or 1). */
int store_trash_find(struct db *db, struct arena *mem, const char *ref, struct trash_entry *entry,
                     struct error *err);

/* Of one pool, or of all (NULL); oldest first.  Returns the count. */
int store_trash_list(struct db *db, struct arena *mem, const char *pool_id,
                     struct trash_entry **list, struct error *err);

/* When the first expires; 0 when there is none. */
int store_trash_next(struct db *db, int64_t *expires_ms, struct error *err);

#endif
