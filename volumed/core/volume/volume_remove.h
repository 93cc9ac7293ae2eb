/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs that remove volumes share: `volume rm`, prune, and `container rm -v`. */
#ifndef CORE_VOLUME_REMOVE_H
#define CORE_VOLUME_REMOVE_H

#include <stdbool.h>

#include "base/error.h"
#include "core/operation/task.h"
#include "model/volume.h"

/* A volume that is going, and what goes with it. */
struct volume_removal {
    struct volume volume;
    struct snapshot *snapshots;
    int snapshot_count;
    bool is_for_trash; /* set by the caller before; a foreign volume never is */
};

/*
 * Reads the volume and its snapshots (those in the trash too) as they are now, and says why it must
 * stay, in dockerd's words: CONFLICT (references, protection, snapshots without 'with_snapshots'),
 * BUSY (an operation or another engine has it), NOT_FOUND.  In the transaction that removes it, or
 * to try it dry.
 */
int volume_removal_check(struct task *task, const char *volume_id, bool with_snapshots,
                         struct volume_removal *removal, struct error *err);

/* In the transaction, after the check: rows and events.  Snapshots go along, to the trash as a part
 * of the volume. */
int volume_removal_delete(struct task *task, const struct volume_removal *removal,
                          struct error *err);

/* After the commit: the data, removed or put away. */
void volume_removal_discard(struct task *task, const struct volume_removal *removal);

#endif
