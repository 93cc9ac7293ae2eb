/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How bytes lie on disk.  A driver is one 'const struct driver'; this header is all one needs to
 * write another.
 *
 * What a driver handles is a *tree*: a directory with a UUID for its name in one of the pool's
 * directories.  A tree of POOL/volumes is writable data that containers have mounted; one of
 * POOL/snapshots is never written again.  Names, owners, references and states are none of a
 * driver's business: core decides, and calls a driver with what is to be done.
 *
 * Rules for every member:
 *  - An absent member means that the driver cannot do it; core answers UNSUPPORTED.  No flag
 * repeats that anywhere.
 *  - It works on descriptors and one-component names, never on paths, and follows no symbolic link:
 *    a tree's contents were written by strangers.
 *  - It may be called from several threads at once, also for one pool, but never for the same tree:
 *    core holds trees still.
 *  - It may die at any point.  A tree that was being built is then in the pool's tmp directory or
 *    under its own name, whole or not; it is called to 'remove' it, or to build it again.
 *  - Errors: NO_SPACE, DENIED and the like by fail_sys(); UNSUPPORTED when the filesystem refuses
 *    what its magic number promised.
 *  - Nothing is logged here.
 */
#ifndef DRIVER_DRIVER_H
#define DRIVER_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/volume.h"

/* An open pool as drivers see it.  The descriptors are readable directories of one filesystem. */
struct driver_pool {
    const char *id;
    const char *name;
    const char *path; /* for messages */
    const struct driver *driver;
    int fd;
    int volumes_fd;
    int snapshots_fd;
    int trash_fd;
    int tmp_fd;
    int meta_fd;
};

/* What a tree may take at most; 0: no limit. */
struct driver_limit {
    int64_t size_bytes;
    int64_t inodes;
    uint32_t project; /* the number that project quotas know the tree by; else not looked at */
};

/* What a tree takes, as the filesystem itself counts; -1: it does not count that. */
struct driver_usage {
    int64_t referenced_bytes; /* all blocks that the tree refers to */
    int64_t exclusive_bytes;  /* what its removal would free */
    int64_t inodes;
};

struct driver_copy {
    int source_fd;       /* the tree to copy, a readable directory */
    int dirfd;           /* where the copy goes, one of the pool's directories */
    const char *name;    /* what it is called there */
    bool is_read_only;   /* it goes to snapshots: the filesystem may enforce that */
    int64_t deadline_ms; /* of CLOCK_MONOTONIC, 0 for none: gives up with TIMEOUT after it */
    const struct driver_limit *limit; /* of the copy, set before anything is written; NULL: none */
};

/* The layers that make up a tree.  Absolute paths. */
struct driver_stack {
    const char *upper;   /* is written to; NULL when none is */
    const char *work;    /* overlayfs's own, beside it */
    const char **layers; /* read-only, top first, NULL-terminated */
};

/* One layer in the place of several. */
struct driver_merge {
    const char *id; /* of the new layer */
    const char *const
        *replaced; /* the lowest of a tree, top first, as 'stack' told; NULL-terminated */
};

struct tree_diff_spec;

struct driver {
    const char *name; /* "btrfs"; stored in pool.json and in rows */

    /* What a clone costs; O(1) promises milliseconds whatever the tree holds. */
    enum cost clone_cost;

    /*
     * The kernel makes clones one after the other if they go to one directory, and together if each
     * has its own, from where a writable one can be moved and then sealed.
     */
    bool wants_directories;

    /*
     * How well the driver fits the filesystem of 'dirfd', tried for real where a magic number is
     * not proof: 0 not at all, else the higher the better (driver.c has the present ranks).
     * Leaves nothing behind.
     */
    int (*probe)(int dirfd);

    /*
     * Makes the empty tree 'name': root:root, mode 0755.  EXISTS when it is there.  Not durable
     * until the caller has synced 'dirfd' (fsync), which it does when owner and mode are set.
     */
    int (*create)(const struct driver_pool *pool, int dirfd, const char *name, struct error *err);

    /*
     * Removes the tree, whatever its contents (deep, read-only, of any owner), without crossing
     * into mounts: BUSY when something is mounted in it.  Idempotent.  What comes back after a
     * power loss is garbage for reconcile, so it need not be durable.
     */
    int (*remove)(const struct driver_pool *pool, int dirfd, const char *name, struct error *err);

    /*
     * Makes 'copy->name' an exact and independent copy, as of one instant if the source stands
     * still: contents, holes, owners, modes, times, extended attributes, ACLs, hard links, special
     * files.  It appears under its name when it is whole and durable, not before.
     */
    int (*clone)(const struct driver_pool *pool, const struct driver_copy *copy, struct error *err);

    /*
     * Lets the filesystem refuse (or allow again) writes to a tree that moved between volumes and
     * snapshots.  Idempotent.  Absent: nothing enforces it but that nobody mounts snapshots for
     * writing.
     */
    int (*seal)(const struct driver_pool *pool, int dirfd, const char *name, bool is_read_only,
                struct error *err);

    /*
     * Present where a tree's directory does not hold its contents but says which layers make them
     * up; core mounts them on the directory's 'view' (core/volume/volume_view.h).  Such a tree is
     * cloned, sealed, moved and removed only while its view is not mounted, and 'clone' may change
     * its source: what was writable there becomes a sealed layer of both.
     */
    int (*stack)(const struct driver_pool *pool, int dirfd, const char *name, struct arena *mem,
                 struct driver_stack *stack, struct error *err);

    /*
     * Present with 'stack': merge_begin makes the layer 'id' in the pool's tmp, empty, and returns
     * a directory to copy into what the layers show that it is to replace.  merge_end, when that is
     * durable, puts it in their place in a tree whose view is not mounted; several trees may get
     * it. CONFLICT when these are not the tree's lowest layers.  Layers that no tree has any more
     * go.
     */
    int (*merge_begin)(const struct driver_pool *pool, const char *id, struct error *err);
    int (*merge_end)(const struct driver_pool *pool, int dirfd, const char *name,
                     const struct driver_merge *merge, struct error *err);

    /*
     * Present where a tree's directory holds a filesystem of this type in a file (driver/image.h),
     * as large as its limit, without which it cannot be.  Core makes and mounts it.  Such a tree is
     * cloned while it is in use only where 'separate' can follow, and moved and removed only while
     * its view is not mounted.
     */
    const char *image;

    /*
     * Gives the source of a clone blocks of its own again, which the clone has borrowed; called
     * when its writers run again.  NO_SPACE when there are none: then the clone must go.
     */
    int (*separate)(const struct driver_pool *pool, int dirfd, const char *name, struct error *err);

    /*
     * As tree_diff() (tree_diff.h), but by what the filesystem remembers of changes: work by their
     * number and not by that of files, told in no order.  Neither tree is written meanwhile.  1: it
     * does not know for these two, and has told nothing; core then walks.
     */
    int (*diff)(const struct driver_pool *pool, const struct tree_diff_spec *spec,
                struct error *err);

    /*
     * Writes back what the tree has dirty, so that a clone under a freeze need not.  Absent: syncfs
     * by the caller.
     */
    int (*sync)(int fd, struct error *err);

    /* New files of the empty tree are written in place (no copy on write, no checksums). */
    int (*set_nocow)(int fd, struct error *err);

    /*
     * Whether trees of this pool can be held to 'limit', tried for real: UNSUPPORTED with the
     * reason.  May turn the filesystem's accounting on, and then waits for its first count.
     */
    int (*check_limit)(const struct driver_pool *pool, const struct driver_limit *limit,
                       struct error *err);

    /*
     * Holds the tree at 'fd' to 'limit' from now on, or to none.  Where trees are known by projects
     * it must be empty, or have been held before.  Idempotent, durable on return.
     */
    int (*set_limit)(const struct driver_pool *pool, int fd, const struct driver_limit *limit,
                     struct error *err);

    /* The limit that the filesystem holds the tree to at present. */
    int (*get_limit)(const struct driver_pool *pool, int fd, struct driver_limit *limit,
                     struct error *err);

    /*
     * What a tree takes, without walking it; 'is_fresh' includes what was written a moment ago, and
     * costs a sync.  UNSUPPORTED where nothing counts (yet).
     */
    int (*usage)(const struct driver_pool *pool, int fd, bool is_fresh, struct driver_usage *usage,
                 struct error *err);

    /*
     * Present where limits need project numbers.  True when nothing on disk bears this one; and,
     * with is_freed, after forgetting what limit it had.
     */
    bool (*is_project_free)(const struct driver_pool *pool, uint32_t project, bool is_freed);

    /*
     * A number, never 0, that changes whenever the tree does, so that an old walk is known to be
     * good; 'is_fresh' as in 'usage'.
     */
    int (*version)(int fd, bool is_fresh, int64_t *version, struct error *err);

    /* Waits until the space of removed trees is free, at most until the deadline. */
    int (*settle)(const struct driver_pool *pool, int64_t deadline_ms, struct error *err);

    /* Upkeep of what the members above made, now and then: cheap when there is nothing to do. */
    int (*tend)(const struct driver_pool *pool, struct error *err);
};

extern const struct driver btrfs_driver;
extern const struct driver reflink_driver;
extern const struct driver directory_driver;
extern const struct driver layered_driver;
extern const struct driver image_driver;
extern const struct driver foreign_driver;

/* By name; NULL when there is none. */
const struct driver *driver_find(const char *name);

/* The best that fits the filesystem of 'dirfd'; NULL when none does. */
const struct driver *driver_probe(int dirfd);

#endif
