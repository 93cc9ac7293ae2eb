/* SPDX-License-Identifier: Apache-2.0 */
/* What removing a container and the end of one that removes itself have in common. */
#ifndef CORE_CONTAINER_REMOVE_H
#define CORE_CONTAINER_REMOVE_H

#include <stdbool.h>

#include "base/error.h"
#include "core/attachment/attachment.h"
#include "core/operation/task.h"
#include "model/container.h"

/* In the caller's transaction: its rows go, and the event "destroy" is written. */
int container_forget(struct task *task, const struct container *container, bool with_volumes,
                     struct attachment_garbage *garbage, struct error *err);

/* After the commit: data, waiters, attaches; what fails here is garbage for reconcile. */
void container_clear_away(struct task *task, const struct container *container,
                          const struct attachment_garbage *garbage);

#endif
