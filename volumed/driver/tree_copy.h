/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one copier of trees: for the reflink and directory drivers, and for filling volumes from
 * images.
 */
#ifndef DRIVER_TREE_COPY_H
#define DRIVER_TREE_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct tree_copy_spec {
    int source_fd;       /* readable directory; not crossed: other mounts below it */
    int target_fd;       /* an empty directory that nobody else knows */
    bool is_shared;      /* share blocks where the filesystem can; copy the others */
    bool is_lenient;     /* leave out attributes that the target cannot hold (copies from images) */
    bool is_durable;     /* syncfs at the end */
    int64_t deadline_ms; /* of CLOCK_MONOTONIC, 0 for none */
};

/*
 * Copies all below source_fd, and source_fd's own attributes, to target_fd: contents, holes, owner,
 * mode, times, extended attributes, ACLs, hard links, devices, fifos, sockets, links.  What
 * vanishes from the source meanwhile is left out.  Errors: TIMEOUT past the deadline, BUSY when the
 * source is rearranged meanwhile.  On failure the target holds a part.
 */
int tree_copy(const struct tree_copy_spec *spec, struct error *err);

#endif
