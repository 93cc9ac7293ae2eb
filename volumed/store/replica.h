/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of replicas, of the groups that they form, and of the scalings that change those. */
#ifndef STORE_REPLICA_H
#define STORE_REPLICA_H

#include "base/error.h"
#include "model/replica.h"
#include "store/db.h"

/* Makes or changes it; when it was made stays. */
int store_group_put(struct db *db, const struct replica_group *group, struct error *err);

/* Returns how many were found (0 or 1). */
int store_group_find(struct db *db, struct arena *mem, const char *name,
                     struct replica_group *group, struct error *err);

/* With all of its replicas' rows. */
int store_group_delete(struct db *db, const char *name, struct error *err);

/* Makes or changes it. */
int store_replica_put(struct db *db, const struct replica *replica, struct error *err);

/* By number, of one group or (NULL) of all.  Returns the count. */
int store_replica_list(struct db *db, struct arena *mem, const char *group_name,
                       struct replica **list, struct error *err);
int store_replica_delete(struct db *db, const char *group_name, int64_t number, struct error *err);

/* EXISTS: another of the group is under way. */
int store_scaling_insert(struct db *db, const struct scaling *scaling, struct error *err);

/* Returns how many were found (0 or 1). */
int store_scaling_find(struct db *db, struct arena *mem, const char *id, struct scaling *scaling,
                       struct error *err);

/* Newest first: of one group or (NULL) of all, or those under way alone.  Returns the count. */
int store_scaling_list(struct db *db, struct arena *mem, const char *group_name, bool only_running,
                       struct scaling **list, struct error *err);

/* All of its row that changes: state, replica, reason, report, end. */
int store_scaling_update(struct db *db, const struct scaling *scaling, struct error *err);

/* The volumes that refer to a container become others: 'from' and 'to' are volumes' ids. */
int store_replica_switch(struct db *db, const char *container_id, const char *from, const char *to,
                         struct error *err);

#endif
