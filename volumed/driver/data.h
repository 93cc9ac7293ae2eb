/* SPDX-License-Identifier: Apache-2.0 */
/* The contents of one regular file. */
#ifndef DRIVER_DATA_H
#define DRIVER_DATA_H

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * Opens the regular file 'name' to read it, and whatever else bears that name not at all: -EBUSY.
 * No link is followed.  *st is its stat.  Returns a descriptor or -errno.
 */
int data_open(int dirfd, const char *name, struct stat *st);

/*
 * Makes the empty file 'to_fd' share all blocks of 'from_fd' (FICLONE).  Returns 0 or -errno:
 * -EOPNOTSUPP, -EXDEV, -EINVAL, -ETXTBSY where the kernel cannot for this pair.
 */
int data_share(int from_fd, int to_fd);

/*
 * Copies 'size' bytes into the empty file 'to_fd'; holes stay holes.  'deadline_ms' is of
 * CLOCK_MONOTONIC, 0 for none.  Returns 0 or -errno: -ETIMEDOUT past the deadline.
 */
int data_copy(int from_fd, int to_fd, off_t size, int64_t deadline_ms);

#endif
