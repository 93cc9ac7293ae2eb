/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts of a restored container that must not be written to.  criu (3.17) brings the second of two
 * mounts of one file system back without its flags: a masked path would leave the host's null
 * device to be changed, and a read-only volume could be written.  So they are set again.
 */
#ifndef RUNNER_RESTORE_FLAGS_H
#define RUNNER_RESTORE_FLAGS_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "runner/spec/spec.h"

/* For the container whose first process is 'pid', which criu still holds. */
int restore_flags(struct arena *mem, const struct spec *spec, pid_t pid, struct error *err);

#endif
