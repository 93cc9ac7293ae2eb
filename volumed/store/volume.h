/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of volumes. */
#ifndef STORE_VOLUME_H
#define STORE_VOLUME_H

#include "model/volume.h"
#include "store/db.h"

/* EXISTS: the name is taken. */
int store_volume_insert(struct db *db, const struct volume *volume, struct error *err);

/* By name, else by id.  Returns how many were found (0 or 1). */
int store_volume_find(struct db *db, struct arena *mem, const char *ref, struct volume *volume,
                      struct error *err);

/* By id alone, so that a volume named like another's id cannot come between. */
int store_volume_find_id(struct db *db, struct arena *mem, const char *id, struct volume *volume,
                         struct error *err);

/* By name.  Returns the count. */
int store_volume_list(struct db *db, struct arena *mem, struct volume **list, struct error *err);

/* Those that no container and no other engine refers to. */
int store_volume_list_dangling(struct db *db, struct arena *mem, struct volume **list,
                               struct error *err);

/* 1 when a volume or a snapshot has its data under this directory name. */
int store_volume_has_data(struct db *db, const char *pool_id, const char *data_id,
                          struct error *err);

/* Each returns 0, CONFLICT when the volume is no more (or, for set_data, not what it was). */
int store_volume_set_name(struct db *db, const char *id, const char *name, struct error *err);
int store_volume_set_labels(struct db *db, const char *id, const struct pairs *labels,
                            struct error *err);
int store_volume_set_options(struct db *db, const char *id, const struct pairs *options,
                             struct error *err);
int store_volume_set_protected(struct db *db, const char *id, bool is_protected, struct error *err);
int store_volume_set_data(struct db *db, const char *id, const char *old_data_id,
                          const char *new_data_id, struct error *err);
int store_volume_set_seeded(struct db *db, const char *id, const char *seeded_from,
                            struct error *err);

/* CONFLICT while something refers to it. */
int store_volume_delete(struct db *db, const char *id, struct error *err);

/* BUSY, naming the operation, when one holds the volume still. */
int store_volume_check_free(struct db *db, const struct volume *volume, struct error *err);

/* As above; that this operation (may be NULL) holds it is no obstacle. */
int store_volume_check_free_but(struct db *db, const struct volume *volume,
                                const char *operation_id, struct error *err);

#endif
