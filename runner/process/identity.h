/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Becoming who a process is to be: user, groups, capabilities, scheduling, confinement.  The order
 * of the calls is init.c's and exec.c's, and is what makes them safe.
 */
#ifndef RUNNER_IDENTITY_H
#define RUNNER_IDENTITY_H

#include "base/error.h"
#include "runner/process/capability.h"
#include "runner/process/process.h"

/* Root of a user namespace whose maps have been written. */
int identity_become_root(struct error *err);

/* User, groups, capabilities, umask. */
int identity_take(const struct process *process, const struct capabilities *capabilities,
                  struct error *err);

/*
 * Enters the working directory and makes sure that it is inside the root: a path that leads through
 * a descriptor of the host to a directory outside is refused.
 */
int identity_enter_cwd(const struct process *process, struct error *err);

/* Scheduler, I/O priority and personality; before capabilities are dropped. */
int identity_schedule(const struct process *process, const json_t *personality, struct error *err);

/* The label for the program that will be executed; 'proc_fd' is procfs_open()'s. */
int identity_label(const struct process *process, int proc_fd, struct error *err);

#endif
