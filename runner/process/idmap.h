/* SPDX-License-Identifier: Apache-2.0 */
/* User and group id mappings: written for a process's user namespace, or made a namespace of their
 * own that a mount can be mapped by. */
#ifndef RUNNER_IDMAP_H
#define RUNNER_IDMAP_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "runner/spec/field.h"

/*
 * Writes both maps (arrays of struct id_map) of the user namespace that 'pid' is in.  Without the
 * right to do so it asks newuidmap(1) and newgidmap(1).
 */
int idmap_write(struct arena *mem, pid_t pid, const struct array *uid_maps,
                const struct array *gid_maps, struct error *err);

/* A user namespace with these maps, as a descriptor for MOUNT_ATTR_IDMAP. */
int idmap_namespace_open(struct arena *mem, const struct array *uid_maps,
                         const struct array *gid_maps, struct error *err);

/* The host's id of a container's, or the id itself when 'maps' is empty; -1 when it has none. */
int64_t idmap_to_host(const struct array *maps, uint32_t id);

#endif
