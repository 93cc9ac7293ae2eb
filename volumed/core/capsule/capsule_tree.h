/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of volumes and snapshots on their way into capsules and out of them. */
#ifndef CORE_CAPSULE_TREE_H
#define CORE_CAPSULE_TREE_H

#include "core/image/image.h"
#include "core/operation/task.h"

struct capsule_tree {
    const char *volume;
    const char *snapshot;
    const char *base; /* another snapshot, whose difference is all that is written; NULL: none */
};

int capsule_tree_save(struct task *task, const struct capsule_tree *tree,
                      const struct byte_sink *sink, struct error *err);

/*
 * Makes the volume's present contents what the source says: from nothing, or with 'has_base' from
 * what they are.  Durable on return.
 */
int capsule_tree_load(struct task *task, const char *volume, bool has_base,
                      const struct byte_source *source, struct error *err);

#endif
