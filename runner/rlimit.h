/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits by their names in the specification. */
#ifndef RUNNER_RLIMIT_H
#define RUNNER_RLIMIT_H

#include "process.h"

/* The RLIMIT_* number of "RLIMIT_NOFILE" and the like, or -EINVAL. */
int rlimit_find(const char *name);

/* Sets the limits on the calling process.  Errors: DENIED (raising needs CAP_SYS_RESOURCE). */
int rlimits_apply(const struct process *process, struct error *err);

#endif
