/* SPDX-License-Identifier: Apache-2.0 */
/* The past that is kept: the newest events and ended operations. */
#ifndef CORE_HISTORY_H
#define CORE_HISTORY_H

#include "base/error.h"
#include "core/operation/task.h"

#define HISTORY_EVENTS_MAX     50000
#define HISTORY_OPERATIONS_MAX 20000

int history_prune(struct task *task, struct error *err);

#endif
