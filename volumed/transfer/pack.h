/* SPDX-License-Identifier: Apache-2.0 */
/* A tree, or a part of one, becomes a tar on a descriptor. */
#ifndef TRANSFER_PACK_H
#define TRANSFER_PACK_H

#include <stdbool.h>

#include "base/error.h"

struct pack_rules {
    bool has_whiteouts; /* overlayfs's whiteouts become ".wh." names: a layer */
    bool is_contents;   /* without an entry for the directory itself */
    bool is_exact;      /* for our own unpacking: times to the nanosecond, sockets, any attribute */
};

/*
 * Packs 'name' in directory 'at_fd' (never following a link) as entries that begin with 'prefix' in
 * its place.  Names are sorted; owners are numbers; hard links, extended attributes and holes are
 * kept.  The tree may change meanwhile: what vanishes is left out, a file keeps the size it had.
 * Changes the working directory.
 */
int pack_tree(int at_fd, const char *name, const char *prefix, const struct pack_rules *rules,
              int output_fd, struct error *err);

/*
 * Packs what has to be done to a copy of the tree 'from_fd' (-1: to an empty one) to make it one of
 * 'to_fd', both readable directories that nobody writes: exact, and told by marks (mark.h).  Of a
 * file that changed, the parts that did.  'is_shared': both lie on one filesystem, and blocks that
 * both have are the same.
 */
int pack_changes(int from_fd, int to_fd, bool is_shared, int output_fd, struct error *err);

#endif
