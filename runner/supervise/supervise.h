/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `runner supervise`: one small process per container, or per exec, that outlives whoever asked for
 * it.  It holds the console and the pipes, writes the log, serves ctl.sock, and records the end.
 * docs: runner(8), section SUPERVISE, has the protocol of ctl.sock.
 */
#ifndef RUNNER_SUPERVISE_H
#define RUNNER_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "runner/container/container.h"

struct supervise_options {
    const char *root;
    const char *id;
    const char *dir;          /* the box; of a container also the bundle */
    const char *process_file; /* of an exec */
    enum cgroup_manager cgroup_manager;
    bool is_exec;
    bool has_input;   /* of an exec: stdin is a pipe, not /dev/null */
    int preserve_fds; /* descriptors 3 … 3+n-1 are mount sources of the container */
    int64_t log_max_bytes;
    int64_t log_max_files;
};

/*
 * Forks the supervisor and returns when the container exists and ctl.sock answers.  On failure
 * nothing is left behind.
 */
int supervise_run(const struct supervise_options *options, struct error *err);

#endif
