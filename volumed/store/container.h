/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of containers.  Attachments are in store/attachment.h. */
#ifndef STORE_CONTAINER_H
#define STORE_CONTAINER_H

#include "base/error.h"
#include "model/container.h"
#include "store/db.h"

/* EXISTS when the name is taken. */
int store_container_insert(struct db *db, const struct container *container, struct error *err);

/* Returns how many were found (0 or 1); a found one is to be ended by container_done(). */
int store_container_find(struct db *db, struct arena *mem, const char *id,
                         struct container *container, struct error *err);

/*
 * The id of a full id, a name (with or without a leading slash) or a prefix of an id; by index.
 * Returns how many fit: 0, 1, or 2 for "more than one".
 */
int store_container_find_id(struct db *db, struct arena *mem, const char *ref, const char **id,
                            struct error *err);

/* The id of the container with exactly this name, or NULL. */
int store_container_find_name(struct db *db, struct arena *mem, const char *name, const char **id,
                              struct error *err);

/* Newest first; with is_live_only those that run, are paused or wait for a restart.  Returns the
 * count. */
int store_container_list(struct db *db, struct arena *mem, bool is_live_only,
                         struct container **list, struct error *err);

/* Writes all that changes while a container lives: state, pid, exit, times, restart count, health.
 */
int store_container_update(struct db *db, const struct container *container, struct error *err);
int store_container_set_name(struct db *db, const char *id, const char *name, struct error *err);
int store_container_set_host_config(struct db *db, const char *id, const char *host_config,
                                    struct error *err);
int store_container_set_config(struct db *db, const char *id, const char *config,
                               struct error *err);
int store_container_set_health(struct db *db, const char *id, const char *health,
                               struct error *err);

/* Its attachments go with it. */
int store_container_delete(struct db *db, const char *id, struct error *err);

/* The operation that holds "container:<id>" still, or NULL. */
int store_container_holder(struct db *db, struct arena *mem, const char *id,
                           const char **operation_id, struct error *err);

/* Whether the image that it was made from is still there. */
int store_container_has_image(struct db *db, const char *image_id, bool *has_image,
                              struct error *err);

struct container_counts {
    int64_t total;
    int64_t running;
    int64_t paused;
};

int store_container_count(struct db *db, struct container_counts *counts, struct error *err);

#endif
