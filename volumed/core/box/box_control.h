/* SPDX-License-Identifier: Apache-2.0 */
/* Talking to the supervisor of a box, by container id. */
#ifndef CORE_BOX_CONTROL_H
#define CORE_BOX_CONTROL_H

#include "base/error.h"
#include "core/operation/task.h"

/*
 * Sends one request line and waits for its answer; *answer (may be NULL) is what follows "ok ".
 * Errors: CONFLICT when there is no supervisor, that is, the container does not run.
 */
int box_ask(struct task *task, const char *id, const char *request, const char **answer,
            struct error *err);

/* Kills what a supervisor that is gone has left: processes, cgroups, the runner's state. */
void box_end_remains(struct task *task, const char *id);

#endif
