/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an archive's entries go: their paths cleaned, and their directories entered.  The working
 * directory of the (confined) process is always the directory of the present entry, so that all
 * else is done to a single name in it.
 */
#ifndef TRANSFER_PLACE_H
#define TRANSFER_PLACE_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"

struct place {
    int root_fd;
    const char
        *base; /* cleaned path of the directory that entries are named from; "" for the root */
    char path[PATH_MAX];      /* of the entry: "usr/bin/env", "" for the root */
    char directory[PATH_MAX]; /* whose files we are among; valid while is_entered */
    bool is_entered;
};

/*
 * Cleans an entry's path and puts the base before it: leading slashes and "." go.  INVALID when it
 * is too long, too deep, or has a ".." anywhere.
 */
int place_clean(const struct place *place, const char *path, char clean[PATH_MAX],
                struct error *err);

/*
 * Enters the directory of place->path, making what is missing (root's, 0755); links are followed,
 * inside the root.  Returns the entry's name in it.  Not for the root itself.
 */
const char *place_enter(struct place *place, struct error *err);

/* To be called after a directory or a link was removed: the next place_enter() looks again. */
void place_forget(struct place *place);

/* Opens a cleaned path inside the root, following links but the last. */
int place_open(const struct place *place, const char *clean, int flags);

/* Gives what is at the cleaned path 'target' another name in the working directory. */
int place_link(const struct place *place, const char *target, const char *name);

#endif
