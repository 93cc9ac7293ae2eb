/* SPDX-License-Identifier: Apache-2.0 */
/* The filesystem in a tree's image (driver/image.h): made, mounted, grown. */
#ifndef CORE_VOLUME_IMAGE_H
#define CORE_VOLUME_IMAGE_H

#include <stdbool.h>

#include "base/error.h"
#include "core/volume/volume_view.h"
#include "driver/driver.h"

/*
 * Mounts the contents nowhere yet, and returns the mount's descriptor.  What has no filesystem gets
 * one.  'tree_fd' is the tree's own directory.
 */
int image_open(const struct driver_pool *pool, int tree_fd, enum tree_place place, const char *name,
               bool is_read_only, struct error *err);

/*
 * Lets the filesystem whose contents are open as 'view_fd' fill its file, which has grown.  DENIED
 * where we may not (CAP_SYS_RESOURCE).
 */
int image_grow(const struct driver_pool *pool, int tree_fd, int view_fd, struct error *err);

/*
 * Replaces the image of a tree that is at rest by one of another size with the same contents,
 * smaller or larger.  CONFLICT when they do not fit.
 */
int image_rebuild(const struct driver_pool *pool, int tree_fd, enum tree_place place,
                  const char *name, int64_t size_bytes, struct error *err);

/* UNSUPPORTED, with the reason, where this host cannot do it. */
int image_check(struct error *err);

#endif
