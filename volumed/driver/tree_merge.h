/* SPDX-License-Identifier: Apache-2.0 */
/* What an overlay's upper layer says besides what it holds: whiteouts and opaque directories. */
#ifndef DRIVER_TREE_MERGE_H
#define DRIVER_TREE_MERGE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/tree.h"

/* An entry that takes away what is below it. */
bool merge_is_whiteout(const struct stat *st);

/*
 * For a directory of the upper layer: leaves the one of that name in the target, or makes one in
 * the place of whatever is there.  Returns 0 or -errno; -EOPNOTSUPP for what redirect_dir and
 * metacopy write.
 */
int merge_directory(int target_fd, const struct tree_entry *entry);

/* Removes what bears the name, whatever it is; nothing there is success.  Returns 0 or -errno. */
int merge_away(int target_fd, const char *name);

#endif
