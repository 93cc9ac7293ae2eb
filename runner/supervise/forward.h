/* SPDX-License-Identifier: Apache-2.0 */
/* Standing in for a process in front of the caller: its signals, its terminal, its exit status. */
#ifndef RUNNER_FORWARD_H
#define RUNNER_FORWARD_H

#include <sys/types.h>

#include "base/error.h"

/*
 * Passes signals on to 'pid' and bytes between the caller's terminal and 'console_fd' (-1: none)
 * until it has ended, what comes at 'notify_fd' (-1: none) to the host (notify.h); returns its
 * status as shells tell it.
 */
int forward_until_end(pid_t pid, int console_fd, int notify_fd, struct error *err);

#endif
