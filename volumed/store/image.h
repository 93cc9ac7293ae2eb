/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of images and their names.  Names here are full ("docker.io/library/busybox:latest"), as are
 * image.tags; image.diff_ids are left to who reads the config.
 */
#ifndef STORE_IMAGE_H
#define STORE_IMAGE_H

#include "base/error.h"
#include "model/container.h"
#include "store/db.h"

/* An image that is there already stays as it is.  Returns 1 when it is new. */
int store_image_insert(struct db *db, const struct image *image, struct error *err);

/* Returns how many were found (0 or 1). */
int store_image_find(struct db *db, struct arena *mem, const char *id, struct image *image,
                     struct error *err);

/* *id is NULL when nothing has the name. */
int store_image_find_name(struct db *db, struct arena *mem, const char *name, const char **id,
                          struct error *err);

/* Ids that begin with 'prefix' ("sha256:ab").  Returns how many fit: 0, 1, or 2 for "several". */
int store_image_find_prefix(struct db *db, struct arena *mem, const char *prefix, const char **id,
                            struct error *err);

/* Newest first.  Returns the count. */
int store_image_list(struct db *db, struct arena *mem, struct image **list, struct error *err);
int store_image_delete(struct db *db, const char *id, struct error *err);

/* Gives an image a name, which it takes from any other. */
int store_image_tag(struct db *db, const char *name, const char *id, int64_t created_ms,
                    struct error *err);
int store_image_untag(struct db *db, const char *name, struct error *err);

/* Images whose parent it is. */
int store_image_count_children(struct db *db, const char *id, int64_t *count, struct error *err);

struct image_user {
    const char *container_id;
    bool is_running;
};

/* Containers made from it, those that run first.  Returns the count. */
int store_image_list_users(struct db *db, struct arena *mem, const char *id,
                           struct image_user **list, struct error *err);

#endif
