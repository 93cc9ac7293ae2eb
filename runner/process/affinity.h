/* SPDX-License-Identifier: Apache-2.0 */
/* On which processors a process runs, as the specification writes it ("0-3,7"). */
#ifndef RUNNER_AFFINITY_H
#define RUNNER_AFFINITY_H

#include <sched.h>
#include <sys/types.h>

#include "base/error.h"

/* Reads a list of processors and ranges.  Errors: INVALID. */
int affinity_read(const char *list, cpu_set_t *set, struct error *err);

/* Binds process 'pid' to them; NULL or "" leaves it as it is. */
int affinity_set(pid_t pid, const char *list, struct error *err);

#endif
