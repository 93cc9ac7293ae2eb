/* SPDX-License-Identifier: Apache-2.0 */
/* What changed between two snapshots, or between one and the present, file by file. */
#ifndef CORE_DIFF_H
#define CORE_DIFF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/operation/task.h"
#include "driver/tree_diff.h"

struct diff_spec {
    const char *from_volume;
    const char *from_snapshot; /* NULL: the volume as it is now */
    const char *to_volume;
    const char *to_snapshot;
    bool is_quick; /* files of the same size and time are taken for the same, unread */
};

struct diff_result {
    int64_t added;
    int64_t removed;
    int64_t changed;
    int64_t added_bytes;
    int64_t removed_bytes;
    int64_t changed_bytes;
    const char
        *method;    /* "changes": what the filesystem remembers; "walk": all files were looked at */
    bool is_moving; /* a volume in use was walked as it was written to */
};

/*
 * Calls each() for every change.  A volume whose pool clones in O(1) is cut for it and so stands
 * still; another that is in use is compared as it moves, which the result tells.
 */
int diff_trees(struct task *task, const struct diff_spec *spec, tree_change_fn each, void *context,
               struct diff_result *result, struct error *err);

#endif
