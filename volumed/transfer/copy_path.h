/* SPDX-License-Identifier: Apache-2.0 */
/* A path as Docker's clients write it for `docker cp`, looked up inside the root. */
#ifndef TRANSFER_COPY_PATH_H
#define TRANSFER_COPY_PATH_H

#include <stdbool.h>

#include "base/arena.h"

/*
 * The path is cleaned lexically, as Docker does; only a trailing "/" or "/." keeps a meaning: the
 * last component is then followed if it is a link, and "/." names the contents.
 */
struct copy_path {
    const char *clean; /* "/a/b" */
    const char *name;  /* of the entries in an archive: "b", "." or "/" */
    bool is_followed;  /* the last component too */
};

void copy_path_read(struct copy_path *path, struct arena *mem, const char *text);

/* Opens its directory and names its last component there ("." when followed).  Returns -errno. */
int copy_path_open(const struct copy_path *path, int root_fd, const char **last, struct arena *mem);

/* Where the link at a cleaned path leads in the end, inside the root; also when nothing is there.
 */
const char *copy_path_resolve(int root_fd, struct arena *mem, const char *clean);

#endif
