/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that the caller passes through to the program (`--preserve-fds N`). */
#ifndef RUNNER_PRESERVE_H
#define RUNNER_PRESERVE_H

#include "base/error.h"

/*
 * Makes sure that 3 … 3+count-1 are open, and ours to pass on: a gap would be filled by one of our
 * own descriptors, which would then be let into the container.  Errors: INVALID.
 */
int preserve_check(int count, struct error *err);

#endif
