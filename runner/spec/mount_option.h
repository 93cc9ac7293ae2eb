/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a mount in the specification, told apart: flags of the mount, its propagation, and
 * what only the file system understands. */
#ifndef RUNNER_MOUNT_OPTION_H
#define RUNNER_MOUNT_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct mount_options {
    uint64_t set; /* MOUNT_ATTR_* of this mount */
    uint64_t clear;
    uint64_t recursive_set; /* … and of those below it */
    uint64_t recursive_clear;
    uint64_t propagation; /* MS_SHARED and the like; 0 when not given */
    bool is_propagation_recursive;
    bool is_bind;
    bool is_recursive; /* rbind */
    bool is_idmapped;
    bool is_idmapped_recursively;
    bool copies_up;    /* tmpcopyup */
    bool is_optional;  /* nofail */
    const char **data; /* for the file system, "key=value" or "flag" */
    size_t data_count;
};

/* Reads a NULL-terminated list (NULL is empty). */
void mount_options_read(struct arena *mem, const char *const *list, struct mount_options *options);

/* The propagation of "rslave" and the like as MS_*, or 0; *is_recursive for the r forms. */
uint64_t mount_propagation_find(const char *name, bool *is_recursive);

/* The names that `features` tells. */
const char *const *mount_option_names(struct arena *mem);

#endif
