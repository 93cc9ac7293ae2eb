/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree that people look into: a volume as it is now, or one of its snapshots.  All that reads
 * files, compares trees or restores from them begins here.
 */
#ifndef CORE_FILE_TREE_H
#define CORE_FILE_TREE_H

#include <stdbool.h>

#include "base/error.h"
#include "core/operation/task.h"
#include "driver/driver.h"
#include "model/volume.h"

struct file_tree {
    struct volume volume;
    struct snapshot snapshot; /* where has_snapshot */
    bool has_snapshot;
    const char *name;               /* "data@s1", for messages */
    const struct driver_pool *pool; /* NULL for a volume on a foreign filesystem */
    int fd;                         /* a readable directory */
};

#define FILE_TREE_NONE ((struct file_tree){ .fd = -1 })

/* 'snapshot' may be NULL: the volume's present contents.  file_tree_close() also after a failure.
 */
int file_tree_open(struct task *task, const char *volume, const char *snapshot,
                   struct file_tree *tree, struct error *err);
void file_tree_close(struct file_tree *tree);
#define cleanup_file_tree CLEANUP(file_tree_close)

#endif
