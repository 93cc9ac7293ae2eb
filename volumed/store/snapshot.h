/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of snapshots. */
#ifndef STORE_SNAPSHOT_H
#define STORE_SNAPSHOT_H

#include "model/volume.h"
#include "store/db.h"

/* EXISTS: the volume has one of that name.  CONFLICT: the volume is no more. */
int store_snapshot_insert(struct db *db, const struct snapshot *snapshot, struct error *err);

/* By name, else by id, among the volume's.  Returns how many were found (0 or 1). */
int store_snapshot_find(struct db *db, struct arena *mem, const char *volume_id, const char *ref,
                        struct snapshot *snapshot, struct error *err);

/* Of one volume, or of all (volume_id NULL); oldest first.  Returns the count. */
int store_snapshot_list(struct db *db, struct arena *mem, const char *volume_id,
                        struct snapshot **list, struct error *err);

/* Of one volume, also those in the trash (state 'removing') or of a volume that is in it. */
int store_snapshot_list_all(struct db *db, struct arena *mem, const char *volume_id,
                            struct snapshot **list, struct error *err);

/* The members of a set, by the names of their volumes; not those in the trash.  Returns the count.
 */
int store_snapshot_list_set(struct db *db, struct arena *mem, const char *set_id,
                            struct snapshot **list, struct error *err);
int store_snapshot_count(struct db *db, const char *volume_id, int64_t *count, struct error *err);

/* When it was cut, under which fence and with what pause.  CONFLICT when it is no more. */
int store_snapshot_set_past(struct db *db, const struct snapshot *snapshot, struct error *err);

/* CONFLICT when it is no more. */
int store_snapshot_delete(struct db *db, const char *id, struct error *err);

#endif
