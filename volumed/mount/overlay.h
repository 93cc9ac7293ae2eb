/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stack of layers seen as one tree: a read-only overlay that is mounted nowhere.  It is reached
 * through its descriptor alone and ends with it, so nothing appears in any mount table.
 */
#ifndef MOUNT_OVERLAY_H
#define MOUNT_OVERLAY_H

#include "base/error.h"

/*
 * 'dirs' are absolute paths of directories, top first, NULL-terminated, at least one.  A single one
 * is opened as it is.  Returns a directory descriptor.  UNSUPPORTED when the kernel (before 6.8)
 * cannot take so many layers.
 */
int overlay_view_open(const char *const *dirs, struct error *err);

/*
 * A detached overlay of these options ("lowerdir=…", NULL-terminated), which may have an upper
 * layer; nosuid and nodev.  Returns its descriptor.
 */
int overlay_mount_detached(const char *const *options, struct error *err);

struct overlay_stack {
    const char *source;        /* what mount tables show as its source */
    const char *upper;         /* NULL: nothing is written, and there are two layers at least */
    const char *work;          /* beside it */
    const char *const *layers; /* read-only, top first, NULL-terminated; absolute paths */
};

/*
 * A detached overlay of a volume's layers.  Directories of lower layers can be renamed
 * (redirect_dir); nothing else that overlayfs offers is used.  Returns its descriptor.
 * UNSUPPORTED as above, and when the filesystem cannot hold an upper layer.
 */
int overlay_stack_mount(const struct overlay_stack *stack, struct error *err);

#endif
