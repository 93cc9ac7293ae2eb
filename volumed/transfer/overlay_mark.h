/* SPDX-License-Identifier: Apache-2.0 */
/* The marks by which overlayfs's upper directories tell what they hide. */
#ifndef TRANSFER_OVERLAY_MARK_H
#define TRANSFER_OVERLAY_MARK_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"

enum overlay_mark {
    OVERLAY_PLAIN,
    OVERLAY_OPAQUE /* nothing of the layers below is seen in it */
};

/* A character device 0:0. */
bool overlay_is_whiteout(const struct stat *st);

/*
 * Reads a directory's mark; needs CAP_SYS_ADMIN.  UNSUPPORTED for one that overlayfs made by its
 * features redirect_dir or metacopy, whose meaning no archive can carry.
 */
int overlay_mark_get(int fd, enum overlay_mark *mark, struct error *err);

/* Marks a directory opaque; needs CAP_SYS_ADMIN.  Returns -errno. */
int overlay_mark_opaque(int fd);

#endif
