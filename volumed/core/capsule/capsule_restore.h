/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a capsule says of its container and volumes beside their bytes becomes rows: limits of use,
 * policies, the pasts of snapshots and their holds, lineage.
 */
#ifndef CORE_CAPSULE_RESTORE_H
#define CORE_CAPSULE_RESTORE_H

#include "core/capsule/capsule_plan.h"
#include "core/snapshot/snapshot.h"

/*
 * Checks all of it, and finds names for the policies: those they had, or with the volume's or the
 * container's behind them where they are taken.  Nothing is touched.
 */
int capsule_restore_check(struct task *task, const struct capsule_plan *plan, struct error *err);

/*
 * How a snapshot of the volume is to be made: labels, which name policies as they will be called,
 * and reason.
 */
int capsule_restore_spec(struct task *task, const struct capsule_volume *volume, const char *name,
                         struct snapshot_spec *spec, struct error *err);

/* In the transaction in which they get their names. */
int capsule_restore_volume(struct task *task, const struct capsule_plan *plan,
                           const struct capsule_volume *volume, struct error *err);
int capsule_restore_container(struct task *task, const struct capsule_plan *plan,
                              struct error *err);

#endif
