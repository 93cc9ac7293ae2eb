/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of lineage: where data came from.  They outlive what they speak of. */
#ifndef STORE_LINEAGE_H
#define STORE_LINEAGE_H

#include "model/lineage.h"
#include "store/db.h"

/* The same parent at the same time again is no error. */
int store_lineage_insert(struct db *db, const struct lineage_edge *edge, struct error *err);

/* Of what another host says of its own: nothing where the child is a volume or snapshot of ours. */
int store_lineage_insert_foreign(struct db *db, const struct lineage_edge *edge, struct error *err);

/*
 * That the container writes the volumes which it has attached for writing: once for each volume,
 * container and generation.
 */
int store_lineage_insert_writer(struct db *db, const char *container_id, int64_t time_ms,
                                struct error *err);

/*
 * What is known of an id's origins, newest first; of a snapshot that has its row still, that it was
 * cut.  Of NULL: all there is.  Returns the count.
 */
int store_lineage_list(struct db *db, struct arena *mem, const char *child_id,
                       struct lineage_edge **list, struct error *err);

/* Removes what no volume or snapshot of today descends from.  Returns how many rows went. */
int store_lineage_prune(struct db *db, struct error *err);

#endif
