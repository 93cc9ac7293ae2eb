/* SPDX-License-Identifier: Apache-2.0 */
/* The user's program: found as a shell would, with the messages that engines look for. */
#ifndef RUNNER_PROGRAM_H
#define RUNNER_PROGRAM_H

#include "base/arena.h"
#include "base/error.h"
#include "runner/process/process.h"

#define PROGRAM_NOT_FOUND_STATUS  127
#define PROGRAM_CANNOT_RUN_STATUS 126

/*
 * Finds args[0] for the calling process, as it is now (root, user, working directory).
 *
 * Errors: NOT_FOUND (exec: "x": executable file not found in $PATH), DENIED.
 */
int program_find(struct arena *mem, const struct process *process, const char **path,
                 struct error *err);

/* Executes it; returns only on failure. */
int program_exec(const char *path, const struct process *process, const char *const *env,
                 struct error *err);

/* The exit status of a process whose program could not be executed. */
int program_status(const struct error *err);

#endif
