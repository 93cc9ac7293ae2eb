/* SPDX-License-Identifier: Apache-2.0 */
/* The size of a mounted filesystem that is ours alone. */
#ifndef DRIVER_RESIZE_H
#define DRIVER_RESIZE_H

#include <stdint.h>

#include "base/error.h"

/*
 * Makes the filesystem that 'fd' lies in (type "btrfs" or "xfs") as large as 'size_bytes' of its
 * device, while it is in use.  Idempotent, durable on return.  Smaller works on btrfs alone, as far
 * as what it holds can be moved together: NO_SPACE where it cannot, UNSUPPORTED on XFS.
 */
int resize_filesystem(int fd, const char *type, int64_t size_bytes, struct error *err);

#endif
