/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits by their names in the specification. */
#ifndef RUNNER_RLIMIT_H
#define RUNNER_RLIMIT_H

#include <sys/types.h>

#include "runner/process/process.h"

/* The RLIMIT_* number of "RLIMIT_NOFILE" and the like, or -EINVAL. */
int rlimit_find(const char *name);

/*
 * Sets the limits of process 'pid', from outside: inside a user namespace nothing could be raised.
 * Errors: DENIED (raising needs CAP_SYS_RESOURCE).
 */
int rlimits_apply(const struct process *process, pid_t pid, struct error *err);

#endif
