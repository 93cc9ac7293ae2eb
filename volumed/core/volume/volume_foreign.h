/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes whose data is another filesystem (Docker's options type, device and o): mounted on the
 * volume's directory while somebody uses them.
 */
#ifndef CORE_VOLUME_FOREIGN_H
#define CORE_VOLUME_FOREIGN_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/volume.h"

/* A readable directory of the mounted filesystem; mounts it if it is not. */
int volume_foreign_open(struct task *task, const struct volume *volume, struct error *err);

/*
 * Unmounts it unless a live container or another engine uses it.  Still in use by somebody else
 * (BUSY from the kernel) is success: whoever leaves last, or reconcile, tries again.
 */
int volume_foreign_release(struct task *task, const struct volume *volume, struct error *err);

/* 1 when a live container or another engine uses it, by the rows. */
int volume_foreign_is_used(struct task *task, const struct volume *volume, struct error *err);

#endif
