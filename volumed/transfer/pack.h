/* SPDX-License-Identifier: Apache-2.0 */
/* A tree, or a part of one, becomes a tar on a descriptor. */
#ifndef TRANSFER_PACK_H
#define TRANSFER_PACK_H

#include <stdbool.h>

#include "base/error.h"

struct pack_rules {
    bool has_whiteouts; /* overlayfs's whiteouts become ".wh." names: a layer */
    bool is_contents;   /* without an entry for the directory itself */
};

/*
 * Packs 'name' in directory 'at_fd' (never following a link) as entries that begin with 'prefix' in
 * its place.  Names are sorted; owners are numbers; hard links, extended attributes and holes are
 * kept.  The tree may change meanwhile: what vanishes is left out, a file keeps the size it had.
 * Changes the working directory.
 */
int pack_tree(int at_fd, const char *name, const char *prefix, const struct pack_rules *rules,
              int output_fd, struct error *err);

#endif
