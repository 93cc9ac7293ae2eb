/* SPDX-License-Identifier: Apache-2.0 */
/* Taking over a pool that the database does not know, from what the pool itself holds. */
#ifndef CORE_POOL_ADOPT_H
#define CORE_POOL_ADOPT_H

#include "base/error.h"
#include "core/operation/task.h"
#include "core/pool/pool_found.h"

/* One of path, image and device. */
struct pool_adopt_spec {
    const char *path; /* a directory with a pool.json */
    const char *image;
    const char *device;
    const char *name; /* NULL: as it was called */
    bool is_default;
    bool is_dry_run; /* look and tell; an image is mounted for a moment all the same */
};

/*
 * Brings back the pool, its volumes and snapshots with their ids, and all that its own copy of the
 * rows holds.  'found' tells what was found and is the caller's to end.  CONFLICT: there is no
 * pool, this database has it already, or it does not fit the filesystem it lies on.  EXISTS: the
 * name is another pool's.
 */
int pool_adopt(struct task *task, const struct pool_adopt_spec *spec, struct found *found,
               struct error *err);

#endif
