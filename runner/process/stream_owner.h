/* SPDX-License-Identifier: Apache-2.0 */
/* Giving the standard streams to the user whose program will open them again (/dev/stdout). */
#ifndef RUNNER_STREAM_OWNER_H
#define RUNNER_STREAM_OWNER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * Makes 'owner', a user as process 'pid' sees it, the owner of those of 'fds' that are pipes.  A
 * file or a terminal stays its owner's.  Nothing is done for the owner (uid_t)-1, nor for one that
 * is nobody outside of the process's user namespace.
 */
int stream_owner_set(const int fds[3], uid_t owner, pid_t pid, bool has_user_namespace,
                     struct error *err);

#endif
