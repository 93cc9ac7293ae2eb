/* SPDX-License-Identifier: Apache-2.0 */
/* Taking single files and directories back from a snapshot, into the volume as it stands. */
#ifndef CORE_FILE_RESTORE_H
#define CORE_FILE_RESTORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "core/operation/task.h"

#define FILE_RESTORE_MAX 1024 /* paths of one request */

struct file_restore_spec {
    const char *volume;
    const char *snapshot;
    const char *const *paths; /* NULL-terminated */
    const char *to;           /* NULL: to the places they had; else where the only one goes */
    bool is_replace;          /* also in the place of directories, with all that is in them */
    bool is_dry_run;
};

struct file_restored {
    const char *path; /* in the snapshot; both without the first slash */
    const char *target;
    bool is_replaced; /* something was there */
};

/*
 * Every path is put back whole, with owner, mode, times and attributes, in one rename each; all or
 * none.  A volume in use stays in use.  Links on the way are refused, in the snapshot as in the
 * volume.  CONFLICT when a directory is in the way and is_replace is not given.  Durable on return.
 */
int file_restore(struct task *task, const struct file_restore_spec *spec,
                 struct file_restored **list, size_t *count, struct error *err);

#endif
