/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of recreations and their members. */
#ifndef STORE_RECREATION_H
#define STORE_RECREATION_H

#include "base/error.h"
#include "model/recreation.h"
#include "store/db.h"

/* With its members. */
int store_recreation_insert(struct db *db, const struct recreation *recreation, struct error *err);

/* With its members.  Returns how many were found (0 or 1). */
int store_recreation_find(struct db *db, struct arena *mem, const char *id,
                          struct recreation *recreation, struct error *err);

/* Newest first: those of the container 'name' (NULL: all), or those under way alone.  Returns the
 * count. */
int store_recreation_list(struct db *db, struct arena *mem, const char *name, bool only_running,
                          struct recreation **list, struct error *err);

/* The id of the one under way that has a member of that name, or NULL. */
int store_recreation_find_running(struct db *db, struct arena *mem, const char *name,
                                  const char **id, struct error *err);

/* All of its row that changes: state, sets, reason, report, deadline, end. */
int store_recreation_update(struct db *db, const struct recreation *recreation, struct error *err);
int store_recreation_set_new(struct db *db, const char *id, size_t position, const char *new_id,
                             struct error *err);

int store_recreation_delete(struct db *db, const char *id, struct error *err);

/* Returns how many changed: 0 when it is not in its probation any more. */
int store_recreation_decide(struct db *db, const char *id, const char *decision, struct error *err);

#endif
