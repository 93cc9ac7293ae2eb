/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing subvolumes by what btrfs remembers: work by the number of changes, not of files. */
#ifndef DRIVER_BTRFS_DIFF_H
#define DRIVER_BTRFS_DIFF_H

#include "driver/driver.h"

/* driver->diff. */
int btrfs_diff(const struct driver_pool *pool, const struct tree_diff_spec *spec,
               struct error *err);

#endif
