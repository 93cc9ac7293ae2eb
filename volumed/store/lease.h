/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of leases, and of the rules of volumes that have one. */
#ifndef STORE_LEASE_H
#define STORE_LEASE_H

#include "model/lease.h"
#include "store/db.h"

/* 1, or 0 where there is no row; *rule is then that of a shared volume. */
int store_rule_find(struct db *db, const char *volume_id, struct volume_rule *rule,
                    struct error *err);

/* Sets access and succession; the epoch stays. */
int store_rule_set(struct db *db, const char *volume_id, const struct volume_rule *rule,
                   struct error *err);

/* The next epoch, in *epoch; makes a row where there is none. */
int store_rule_advance(struct db *db, const char *volume_id, int64_t *epoch, struct error *err);

/* Makes or replaces. */
int store_lease_set(struct db *db, const struct lease *lease, struct error *err);
int store_lease_delete(struct db *db, const char *volume_id, const char *container_id,
                       struct error *err);

/* All of a container.  Returns how many there were. */
int store_lease_end(struct db *db, const char *container_id, struct error *err);

/* A volume's, oldest first.  Returns the count. */
int store_lease_list(struct db *db, struct arena *mem, const char *volume_id, struct lease **list,
                     struct error *err);

/* Volumes that have a lease which is no writer's.  Returns the count. */
int store_lease_volumes_waiting(struct db *db, struct arena *mem, const char *const **volumes,
                                struct error *err);

#endif
