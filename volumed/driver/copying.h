/* SPDX-License-Identifier: Apache-2.0 */
/* What the drivers that clone file by file have in common. */
#ifndef DRIVER_COPYING_H
#define DRIVER_COPYING_H

#include <stdbool.h>

#include "driver/driver.h"

/* driver.h's create and remove for trees that are plain directories. */
int copying_create(const struct driver_pool *pool, int dirfd, const char *name, struct error *err);
int copying_remove(const struct driver_pool *pool, int dirfd, const char *name, struct error *err);

/* Copies into the pool's tmp, then moves the whole to its place. */
int copying_clone(const struct driver_pool *pool, const struct driver_copy *copy, bool is_shared,
                  struct error *err);

#endif
