/* SPDX-License-Identifier: Apache-2.0 */
/* From a scratch to a volume. */
#ifndef CORE_SCRATCH_PROMOTE_H
#define CORE_SCRATCH_PROMOTE_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/volume.h"

/*
 * Makes a volume of what a container sees at 'destination', its scratch over a snapshot: a clone of
 * the snapshot with what was written put into it.  A running container stands still meanwhile.  The
 * scratch stays as it is.  Durable on return.  EXISTS; NOT_FOUND (no scratch there); TIMEOUT (it
 * stood still too long: stop it first).
 */
int scratch_promote(struct task *task, const char *container_ref, const char *destination,
                    const char *name, struct volume *volume, struct error *err);

#endif
