/* SPDX-License-Identifier: Apache-2.0 */
/* Running a program of the host to its end, and what it has to say. */
#ifndef RUNTIME_PROGRAM_H
#define RUNTIME_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define PROGRAM_FD_FIRST 3 /* where the first of 'fds' is found by the program */

struct program {
    const char *const *argv; /* NULL-terminated; argv[0] is a path, or looked up as usual */
    const int *fds;          /* handed over as 3, 4, … */
    size_t fd_count;
    int64_t timeout_ms; /* then it is killed; 0: it may take as long as it likes */
};

/*
 * Runs it with a plain environment, no input and no other descriptors, and appends what it writes
 * on both outputs until it ends, even if it leaves children behind that could write more.
 * *exit_code is as shells see it.  Errors: NOT_FOUND (no such program), INVALID (it writes more
 * than max_bytes), TIMEOUT.
 */
int program_run(const struct program *program, size_t max_bytes, struct buf *output, int *exit_code,
                struct error *err);

#endif
