/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, for the monitor. */
#ifndef CORE_CONTAINER_START_H
#define CORE_CONTAINER_START_H

#include "core/operation/task.h"

/* What a restart policy wants: starts a container that waits for it.  A failure is logged and
 * final. */
void container_start_again(struct task *task, const char *id);

#endif
