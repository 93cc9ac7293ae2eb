/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of holds on snapshots. */
#ifndef STORE_SNAPSHOT_HOLD_H
#define STORE_SNAPSHOT_HOLD_H

#include "model/policy.h"
#include "store/db.h"

/* EXISTS: it is held by that tag.  CONFLICT: the snapshot is no more. */
int store_hold_insert(struct db *db, const struct hold *hold, struct error *err);

/* Returns how many went: tag NULL means all that people made. */
int store_hold_delete(struct db *db, const char *snapshot_id, const char *tag, struct error *err);

/* Of one snapshot, by tag; or of a volume's snapshots.  Returns the count. */
int store_hold_list(struct db *db, struct arena *mem, const char *snapshot_id, struct hold **holds,
                    struct error *err);
int store_hold_list_of_volume(struct db *db, struct arena *mem, const char *volume_id,
                              struct hold **holds, struct error *err);

/* All with that tag. */
int store_hold_list_tagged(struct db *db, struct arena *mem, const char *tag, struct hold **holds,
                           struct error *err);

/*
 * CONFLICT, naming one of its holds, when a snapshot is held, or any of a volume: 'id' is the
 * snapshot's or the volume's.
 */
int store_hold_check_none(struct db *db, const char *id, struct error *err);

#endif
