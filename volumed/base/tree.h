/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks a directory tree that strangers wrote: of any depth with one descriptor and no recursion,
 * without following links, without entering other mounts, unimpressed by names.
 */
#ifndef BASE_TREE_H
#define BASE_TREE_H

#include <sys/stat.h>

#include "base/error.h"

struct tree_entry {
    int dirfd;        /* the directory that holds it */
    const char *name; /* one component */
    struct stat st;   /* of the entry itself; of a directory: of the opened one */
    int fd;           /* a directory's own, readable; -1 for others and for mount points */
};

/* Each returns 0, or -1 with err filled, which ends the walk.  Members may be NULL. */
struct tree_visitor {
    /* Before a directory's entries; 1 skips them (leave is called all the same). */
    int (*enter)(void *context, const struct tree_entry *entry, struct error *err);

    /* After them. */
    int (*leave)(void *context, const struct tree_entry *entry, struct error *err);

    /* Everything that is not a directory. */
    int (*visit)(void *context, const struct tree_entry *entry, struct error *err);
};

/*
 * Walks what is below 'fd' (a readable directory), not 'fd' itself, depth first.  Entries that
 * vanish meanwhile are left out; a directory that is moved meanwhile is BUSY.
 */
int tree_walk(int fd, const struct tree_visitor *visitor, void *context, struct error *err);

#endif
