/* SPDX-License-Identifier: Apache-2.0 */
/* Running a program of the host to its end, and what it has to say. */
#ifndef RUNTIME_PROGRAM_H
#define RUNTIME_PROGRAM_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

#define PROGRAM_FD_FIRST 3 /* where the first of 'fds' is found by the program */

struct program {
    const char *const *argv; /* NULL-terminated; argv[0] is a path, or looked up as usual */
    const int *fds;          /* handed over as 3, 4, … */
    size_t fd_count;
};

/*
 * Runs it with a plain environment and no input, and appends what it writes on both outputs.
 * *exit_code is as shells see it.  Errors: NOT_FOUND (no such program), INVALID (it writes more
 * than max_bytes).
 */
int program_run(const struct program *program, size_t max_bytes, struct buf *output, int *exit_code,
                struct error *err);

#endif
