/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the layers of a tree are seen as one.  Trees of most drivers are their contents, and then
 * these functions open the directory itself; for a driver with a 'stack' they mount its layers,
 * for one with an 'image' the filesystem in it (volume_image.h).
 *
 * A view that may be written to is mounted once, on the tree's own 'view', where everybody who has
 * the volume gets it from: two overlays over one upper layer would spoil it.  It stays mounted
 * until the tree is moved or removed; it is not there after a boot, and is mounted again by whoever
 * asks next, or by reconcile.  A volume's view bears "/volumes/<data id>" as its source, by which
 * mount tables know it wherever it is.
 */
#ifndef CORE_VOLUME_VIEW_H
#define CORE_VOLUME_VIEW_H

#include <stdbool.h>

#include "base/error.h"
#include "core/operation/claim.h"
#include "driver/driver.h"
#include "mount/table.h"

/* The pool's directory in which a tree lies. */
enum tree_place {
    TREE_IN_VOLUMES,
    TREE_IN_SNAPSHOTS,
    TREE_IN_TRASH,
    TREE_IN_TMP
};

/* "volumes" … */
const char *tree_place_name(enum tree_place place);

/* True when trees of the pool are seen by mounting them. */
bool view_is_needed(const struct driver_pool *pool);

/* True when a tree must be at rest to be copied. */
bool view_must_rest(const struct driver_pool *pool);

/*
 * A readable directory of the tree's contents on its view, for as long as anybody wants.  Those of
 * snapshots are read-only.  BUSY while somebody elsewhere has a mount of it that we lost.
 */
int view_open(const struct driver_pool *pool, enum tree_place place, const char *name,
              struct error *err);

/*
 * As above to read a tree that nobody writes to meanwhile; nothing appears in mount tables, and it
 * ends with the descriptor.
 */
int view_open_still(const struct driver_pool *pool, enum tree_place place, const char *name,
                    struct error *err);

/* To write to a tree that is known to nobody yet: its upper layer as it is. */
int view_open_new(const struct driver_pool *pool, enum tree_place place, const char *name,
                  struct error *err);

/* "POOL/volumes/<name>/view", or without the view. */
const char *view_path(struct arena *mem, const struct driver_pool *pool, enum tree_place place,
                      const char *name);

/* A view that is not mounted, and that nobody can mount. */
struct view_rest {
    struct claim claim;
    char claim_name[64];
    const struct driver_pool *pool; /* to mount it again, if it is a volume's and was */
    const char *name;
};

/*
 * Takes the view down and keeps it down until view_wake(), which mounts that of a volume again if
 * the tree is still there: somebody may have been told its path.  'name' must outlive the rest.
 * BUSY, saying who, while a process of this host has it mounted or has something open in it.
 * Nothing to do where none is needed.
 */
int view_put_to_rest(const struct driver_pool *pool, enum tree_place place, const char *name,
                     struct view_rest *rest, struct error *err);
void view_wake(struct view_rest *rest);
#define cleanup_view_rest CLEANUP(view_wake)

/* pool_tree_remove() for a tree that may have a view. */
int view_tree_remove(const struct driver_pool *pool, enum tree_place place, const char *name,
                     struct error *err);

/* True when the tree is known to have no contents. */
bool view_tree_is_empty(const struct driver_pool *pool, enum tree_place place, const char *name);

/* Mounts the view of a tree with an image, where the host's users look for it; else nothing. */
int view_show(const struct driver_pool *pool, enum tree_place place, const char *name,
              struct error *err);

/*
 * Gives a tree that is as large as its limit another limit, 'limit' being more than nothing: grows
 * what is seen while it is in use, if that is possible; else BUSY unless it is at rest.
 */
int view_resize(const struct driver_pool *pool, enum tree_place place, const char *name,
                const struct driver_limit *limit, struct error *err);

/* Whether this host can mount what the driver makes in 'pool_fd', tried for real. */
int view_probe(const struct driver *driver, int pool_fd, const char *pool_path, struct error *err);

#endif
