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
    int source_fd;   /* readable directory; not crossed: other mounts below it */
    int target_fd;   /* a directory that nobody else knows, empty unless is_upper */
    bool is_shared;  /* share blocks where the filesystem can; copy the others */
    bool is_lenient; /* leave out attributes that the target cannot hold (copies from images) */
    bool is_durable; /* syncfs at the end */
    bool is_upper;   /* the source is an overlay's upper layer, the target a copy of the lower */
    int64_t deadline_ms; /* of CLOCK_MONOTONIC, 0 for none */
};

/*
 * Copies all below source_fd, and source_fd's own attributes, to target_fd: contents, holes, owner,
 * mode, times, extended attributes, ACLs, hard links, devices, fifos, sockets, links.  What
 * vanishes from the source meanwhile is left out.  Errors: TIMEOUT past the deadline, BUSY when the
 * source is rearranged meanwhile.  On failure the target holds a part.
 *
 * With is_upper the target becomes what the overlay shows: whiteouts take away, opaque directories
 * and files replace, other directories are gone into.  The overlay must have been mounted without
 * redirect_dir and metacopy (UNSUPPORTED).
 */
int tree_copy(const struct tree_copy_spec *spec, struct error *err);

#endif
