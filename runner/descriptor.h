/* SPDX-License-Identifier: Apache-2.0 */
/* Closing what a process has inherited and must not have where it is going. */
#ifndef RUNNER_DESCRIPTOR_H
#define RUNNER_DESCRIPTOR_H

#include <stddef.h>

/*
 * Closes every descriptor from 'first' on but those 'kept', which may be in any order and hold -1.
 * Returns 0 or -errno.
 */
int descriptors_close_but(int first, const int *kept, size_t count);

#endif
