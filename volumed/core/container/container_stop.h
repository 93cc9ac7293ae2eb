/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing containers down, for the verbs that need them down. */
#ifndef CORE_CONTAINER_STOP_H
#define CORE_CONTAINER_STOP_H

#include <stdint.h>

#include "base/error.h"
#include "core/operation/task.h"
#include "model/container.h"

/* Kills what runs, gives up a restart that waits; TIMEOUT when it has not ended in time. */
int container_force_down(struct task *task, const struct container *container, int64_t timeout_ms,
                         struct error *err);

#endif
