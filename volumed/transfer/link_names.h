/* SPDX-License-Identifier: Apache-2.0 */
/* Which name of a file came first, for files that have several. */
#ifndef TRANSFER_LINK_NAMES_H
#define TRANSFER_LINK_NAMES_H

#include <stddef.h>
#include <sys/stat.h>

struct link_name {
    dev_t device;
    ino_t inode;
    char *path; /* NULL: the place is free */
};

struct link_names {
    struct link_name *items; /* by a hash, then the next free place */
    size_t count;
    size_t capacity;
};

/* The first path that was asked with for this file: the first time it is 'path' itself. */
const char *link_names_first(struct link_names *names, const struct stat *st, const char *path);
void link_names_done(struct link_names *names);

#endif
