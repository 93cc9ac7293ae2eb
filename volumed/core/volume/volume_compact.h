/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping stacks of layers short: each snapshot adds a layer to its volume, and an overlay of many
 * is slow to look into and has a highest number.
 */
#ifndef CORE_VOLUME_COMPACT_H
#define CORE_VOLUME_COMPACT_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/volume.h"

/*
 * Makes one layer of the volume's lowest, and gives it to all volumes and snapshots that have just
 * these and are not in use.  1: done; 0: the volume has few.  BUSY, saying who, when it is in use.
 */
int volume_compact(struct task *task, const struct volume *volume, struct error *err);

/* For the clock: all volumes that have many and are not in use. */
int volume_compact_due(struct task *task, struct error *err);

#endif
