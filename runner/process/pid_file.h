/* SPDX-License-Identifier: Apache-2.0 */
/* The file in which callers read a process's number. */
#ifndef RUNNER_PID_FILE_H
#define RUNNER_PID_FILE_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

/* Writes it atomically; a NULL path is none. */
int pid_file_write(struct arena *mem, const char *path, pid_t pid, struct error *err);

#endif
