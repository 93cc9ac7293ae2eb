/* SPDX-License-Identifier: Apache-2.0 */
/* `runner hold`: a lease on control groups that are no container's of this runner. */
#ifndef RUNNER_HOLD_H
#define RUNNER_HOLD_H

#include <stddef.h>

#include "base/error.h"

/*
 * Leaves a process behind that waits for requests on descriptor 3 and holds the groups (absolute
 * directories of v1's freezer hierarchy, or of v2) when asked.  Errors: INVALID, and those of
 * freezer_open(); then there is no such process.
 */
int hold_run(const char *const *paths, size_t count, struct error *err);

#endif
