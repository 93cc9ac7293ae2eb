/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups of processes that are not ours, as far as they can be frozen. */
#ifndef MOUNT_CONTROL_GROUP_H
#define MOUNT_CONTROL_GROUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

/* Where the hierarchies that freeze are mounted; NULL: there is none. */
struct control_groups {
    const char *freezer; /* v1's */
    const char *unified; /* v2's */
};

int control_groups_read(struct arena *mem, struct control_groups *groups, struct error *err);

/*
 * The directory by which a process can be frozen, or NULL: it is gone, it is in a root group, or
 * there is no freezer.
 */
const char *control_group_of(struct arena *mem, const struct control_groups *groups, pid_t pid);

/* True when 'inner' is 'outer' or lies below it. */
bool control_group_contains(const char *outer, const char *inner);

/* The processes in a group itself, without those of groups below.  Returns the count, or -errno. */
int control_group_pids(struct arena *mem, const char *group, pid_t **pids);

#endif
