/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts of a container that runs already: one more, one less, one made read-only.  A mount is
 * known by its place and by a token, a text that its line in mountinfo must hold (the UUID of the
 * tree that is mounted, say): what the container has mounted there by itself is never touched.
 *
 * The source is a descriptor.  The place is resolved inside the container's root, once; the calling
 * process then joins the container's mount namespace, and nothing of the host's is named by path
 * from there.
 */
#ifndef RUNNER_HOT_MOUNT_H
#define RUNNER_HOT_MOUNT_H

#include <stdbool.h>

#include "runner/container/container.h"

struct hot_mount {
    const char *path;    /* in the container */
    const char *token;   /* never empty */
    const char *options; /* "rbind,rro,nosuid", as in a specification */
};

/*
 * Mounts what 'source_fd' stands for.  Already there: nothing is done.  Errors: CONFLICT (not
 * running), DENIED (a place in /proc or /sys), INVALID.
 */
int hot_mount_attach(struct arena *mem, const struct container *container,
                     const struct hot_mount *mount, int source_fd, struct error *err);

/*
 * Sets and clears the attributes that 'options' name ("ro", "rw").  Errors: BUSY, naming the
 * process that has a file open for writing; NOT_FOUND (it is not there, or hidden by another
 * mount).
 */
int hot_mount_change(struct arena *mem, const struct container *container,
                     const struct hot_mount *mount, struct error *err);

/*
 * Unmounts.  Not there: nothing is done.  With 'is_forced' it vanishes from its place at once, and
 * those who use it keep it until they let go.  Errors: BUSY, naming who uses it.
 */
int hot_mount_detach(struct arena *mem, const struct container *container,
                     const struct hot_mount *mount, bool is_forced, struct error *err);

#endif
