/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of generations. */
#ifndef STORE_GENERATION_H
#define STORE_GENERATION_H

#include "base/error.h"
#include "model/recreation.h"
#include "store/db.h"

int store_generation_insert(struct db *db, const struct generation *generation, struct error *err);
int store_generation_delete(struct db *db, const char *container_id, struct error *err);

/* Returns how many were found (0 or 1). */
int store_generation_find(struct db *db, struct arena *mem, const char *container_id,
                          struct generation *generation, struct error *err);

/* Of the container 'name', newest first.  Returns the count. */
int store_generation_list(struct db *db, struct arena *mem, const char *name,
                          struct generation **list, struct error *err);

/* Whether a generation is kept with that set. */
int store_generation_has_set(struct db *db, const char *set_name, bool *has, struct error *err);

/*
 * Sets that ended recreations of this container (NULL: of all) made and that no generation and no
 * recreation under way has: what a crash left and, with_failed, what an undone rollback wrote.
 * Newest first.  Returns the count.
 */
int store_generation_lost_sets(struct db *db, struct arena *mem, const char *name, bool with_failed,
                               const char ***names, struct error *err);

/* They are the generations of 'new_name' from now on. */
int store_generation_rename(struct db *db, const char *name, const char *new_name,
                            struct error *err);

#endif
