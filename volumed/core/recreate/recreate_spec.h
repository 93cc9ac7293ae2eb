/* SPDX-License-Identifier: Apache-2.0 */
/* What the successor of a container is to be: its own wishes, with another image or other options.
 */
#ifndef CORE_RECREATE_SPEC_H
#define CORE_RECREATE_SPEC_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/container.h"

/*
 * 'change' is a body of Docker's create with those members alone that are to change.  What the old
 * container had from its image, and not from its client, comes from the new image.  Its volumes are
 * carried over, whatever they are called by now.  The JSON in 'spec' is the caller's to drop by
 * recreate_spec_done(), also after a failure.
 */
int recreate_spec_fill(struct task *task, const struct container *old, const json_t *change,
                       struct container_spec *spec, struct error *err);
void recreate_spec_done(struct container_spec *spec);
#define cleanup_recreate_spec CLEANUP(recreate_spec_done)

#endif
