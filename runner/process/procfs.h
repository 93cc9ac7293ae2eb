/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A procfs that nobody else can reach: a detached mount, used by descriptor.  What is written to
 * /proc by anything that is, or will be, inside a container goes through it, so a container's own
 * /proc, or what was mounted over it, is never believed.
 */
#ifndef RUNNER_PROCFS_H
#define RUNNER_PROCFS_H

#include "base/error.h"

/*
 * Mounts a procfs of the caller's PID namespace.  Where that is not allowed (a user namespace
 * without a PID namespace of its own) it is the host's /proc, checked to be one.
 */
int procfs_open(struct error *err);

/* Writes a text to 'path' ("self/oom_score_adj") without following a link out or crossing a mount.
 */
int procfs_write(int proc_fd, const char *path, const char *text, struct error *err);

/* Opens anew what descriptor 'fd' stands for.  Returns a descriptor or -errno. */
int procfs_reopen(int proc_fd, int fd, int flags);

#endif
