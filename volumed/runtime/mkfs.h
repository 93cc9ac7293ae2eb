/* SPDX-License-Identifier: Apache-2.0 */
/* Making a filesystem, by the host's own mkfs. */
#ifndef RUNTIME_MKFS_H
#define RUNTIME_MKFS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

struct mkfs_spec {
    const char *type; /* "btrfs", "xfs", "ext4" */
    const char *path; /* of a file or a device, absolute */
    const char *uuid; /* the filesystem gets it */
    bool is_forced;   /* overwrites what is there */
};

/* Durable on return.  UNSUPPORTED when the program is missing, and says where it comes from. */
int mkfs_run(struct arena *mem, const struct mkfs_spec *spec, struct error *err);

/*
 * Makes the ext4 in a file that is not mounted larger or smaller; the file has room.  A run that is
 * cut off may leave it broken: to be done to a copy.  CONFLICT when the contents do not fit.
 */
int mkfs_resize(struct arena *mem, const char *type, const char *path, int64_t size_bytes,
                struct error *err);

/* True when the host can make filesystems of the type. */
bool mkfs_is_there(const char *type);

#endif
