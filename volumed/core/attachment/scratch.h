/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scratch: what a container writes over a snapshot, in its box, as the upper layer of an overlay.
 * It survives stop and start, and goes with the box.
 */
#ifndef CORE_SCRATCH_H
#define CORE_SCRATCH_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/attachment.h"

/* Paths of our own making, without links. */
struct scratch {
    const char *lower;
    const char *upper;
    const char *work;
};

/*
 * Makes what is missing of an attachment's scratch.  'lower_fd' is the snapshot's
 * root, whose owner, mode and other attributes the upper layer begins with; 'lower' its path.
 */
int scratch_open(struct task *task, const struct attachment *attachment, int lower_fd,
                 const char *lower, struct scratch *scratch, struct error *err);

/* The options of an overlay mount, "lowerdir=…": NULL-terminated. */
const char *const *scratch_options(struct arena *mem, const struct scratch *scratch);

/* A detached mount of it, for those that are not its container: cp, hot attach. */
int scratch_mount(struct arena *mem, const struct scratch *scratch, struct error *err);

#endif
