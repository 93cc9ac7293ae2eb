/* SPDX-License-Identifier: Apache-2.0 */
/* The process of a container or of an exec, as the runtime specification's `process` object. */
#ifndef RUNNER_PROCESS_H
#define RUNNER_PROCESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

/* (being filled) */
struct process {
    bool terminal;
    const char *const *args;
    uint16_t console_rows; /* 0: not set */
    uint16_t console_columns;
};

/* Reads a file that holds a process object (`exec --process`).  Errors: INVALID, NOT_FOUND. */
int process_read(struct arena *mem, const char *path, struct process **process, struct error *err);

#endif
