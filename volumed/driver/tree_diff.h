/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparing two trees: what was added, removed and changed on the way from one to the other, told
 * one by one.  The trees are strangers' (base/tree.h); neither is written to.
 */
#ifndef DRIVER_TREE_DIFF_H
#define DRIVER_TREE_DIFF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"

enum tree_change_kind {
    TREE_ADDED,
    TREE_REMOVED,
    TREE_CHANGED
};

struct tree_change {
    const char *path; /* "a/b", "" for the root; until each() returns */
    enum tree_change_kind kind;
    struct stat from; /* unless it was added */
    struct stat to;   /* unless it was removed */
    bool is_data;     /* of what changed: contents, a link's target, a device's number */
    bool is_metadata; /* … owner, mode, time, extended attributes */
    int64_t bytes;    /* added, removed: its size; changed: bytes in blocks that differ */
};

/* 0, or -1 with err, which ends the comparison. */
typedef int (*tree_change_fn)(void *context, const struct tree_change *change, struct error *err);

struct tree_diff_spec {
    int from_fd; /* readable directories */
    int to_fd;
    bool is_shared; /* both lie on one filesystem that shares blocks: the same ones are not read */
    bool is_quick;  /* files of the same size and time are taken for the same */
    tree_change_fn each;
    void *context;
};

/*
 * Walks both trees side by side.  Directories are given before what is in them, each directory's
 * entries by name.  The times of directories are no change.  BUSY when a tree is rearranged
 * meanwhile; what vanishes meanwhile is removed.
 */
int tree_diff(const struct tree_diff_spec *spec, struct error *err);

/*
 * The same for the directory at 'path' in both (open at the spec's descriptors), without going into
 * entries that are one and the same inode number in both.
 */
int tree_diff_directory(const struct tree_diff_spec *spec, const char *path, struct error *err);

/*
 * Compares one entry that both directories have, and nothing below it.  'path' is how it is told.
 */
struct tree_pair {
    int from_dirfd;
    int to_dirfd;
    const char *name; /* "" for the directories themselves */
    const char *path;
    struct stat from;
    struct stat to;
    const int *files; /* both, opened, where they are regular files; NULL: they are not open */
};

int tree_diff_pair(const struct tree_diff_spec *spec, const struct tree_pair *pair,
                   struct error *err);

/* The same without telling: 1 and *change, 0 when they are equal, -errno.  Any thread. */
int tree_diff_compare(const struct tree_diff_spec *spec, const struct tree_pair *pair,
                      struct tree_change *change);

#endif
