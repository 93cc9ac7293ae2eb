/* SPDX-License-Identifier: Apache-2.0 */
/* What an inode has besides its contents: owner, mode, times, extended attributes, ACLs. */
#ifndef DRIVER_ATTRIBUTES_H
#define DRIVER_ATTRIBUTES_H

#include <stdbool.h>
#include <sys/stat.h>

/* An inode to read from or to write to: by 'fd' where it is >= 0, else by name, not following. */
struct attributes_place {
    int fd;
    int dirfd;
    const char *name;
    bool is_upper; /* of an overlay's upper layer: overlayfs's own attributes are left out */
};

/*
 * Gives 'to' the owner, extended attributes (ACLs and capabilities are such), mode and times of
 * 'from', whose stat is 'st', in the order in which none undoes another.  'to' was just made by
 * this process, and so is root's.  With is_lenient, attributes that the target filesystem does not
 * know, and overlayfs's own, are left out.  Returns 0 or -errno.
 */
int attributes_copy(const struct attributes_place *from, const struct stat *st,
                    const struct attributes_place *to, bool is_lenient);

/* Whether both have the same extended attributes.  Returns 0 or -errno. */
int attributes_compare(const struct attributes_place *left, const struct attributes_place *right,
                       bool *is_same);

/*
 * Makes a directory that is there as one that was just made: root's, without extended attributes.
 * Returns 0 or -errno.
 */
int attributes_clear(int fd);

#endif
