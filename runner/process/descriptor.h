/* SPDX-License-Identifier: Apache-2.0 */
/* Closing what a process has inherited and must not have where it is going. */
#ifndef RUNNER_DESCRIPTOR_H
#define RUNNER_DESCRIPTOR_H

#include <stddef.h>

#include "base/base.h"

/*
 * Closes every descriptor from 'first' on but those 'kept', which may be in any order and hold -1.
 * What was put off (below) is not below 'first'.
 * Returns 0 or -errno.
 */
int descriptors_close_but(int first, const int *kept, size_t count);

/*
 * Closing put off: many descriptors that lie side by side are closed by one call.  Who closes late
 * must see to it that descriptors_close_late() is called soon: until then they are still open, in a
 * copy of the process as well.  *fd becomes -1; for CLEANUP.
 */
void descriptor_close_later(int *fd);
#define cleanup_fd_later CLEANUP(descriptor_close_later)

/* Closes those that were put off. */
void descriptors_close_late(void);

#endif
