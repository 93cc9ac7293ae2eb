/* SPDX-License-Identifier: Apache-2.0 */
/* What happens between "the database is open" and "the doors are open". */
#ifndef CORE_RECOVER_H
#define CORE_RECOVER_H

#include "base/error.h"
#include "core/operation/task.h"

/* Settles what a crash left, opens the pools, takes over what still runs.  Once, at start. */
int recover(struct task *task, struct error *err);

#endif
