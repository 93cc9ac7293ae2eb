/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The maker: a short-lived child of the supervisor that reads the configuration, makes the standard
 * streams and the container (or the held process of an exec), and hands over what the supervisor
 * needs: one message with descriptors.  So the supervisor never parses anything, and a crash of
 * this work is not a crash of the supervisor.
 */
#ifndef RUNNER_SUPERVISE_MAKER_H
#define RUNNER_SUPERVISE_MAKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "runner/supervise/freeze.h"
#include "runner/supervise/log_file.h"
#include "runner/supervise/supervise.h"

enum made_fd {
    MADE_CONSOLE, /* pty master, or … */
    MADE_INPUT,   /* … our ends of the pipes */
    MADE_STDOUT,
    MADE_STDERR,
    MADE_HOLD,      /* what starts a held exec */
    MADE_OOM_EVENT, /* readable when the OOM killer may have been at work */
    MADE_OOM_COUNT, /* a file with a line "oom_kill N" */
    MADE_FREEZER,
    MADE_FREEZER_EVENT,
    MADE_FDS, /* how many there are */
};

struct made {
    struct error error; /* code ERR_NONE: all went well */
    pid_t pid;          /* by now a child of the supervisor */
    bool input_is_once; /* the first client's end of input is the process's */
    enum log_file_format log_format;
    enum freezer_kind freezer_kind;
    int fds[MADE_FDS]; /* -1: not there */
};

/*
 * Makes what the options ask for.  'caller_fd' is a pipe to the process that waits for us: when
 * nobody reads it any more the making is given up.  On failure nothing is left behind.
 */
int maker_run(const struct supervise_options *options, int caller_fd, struct made *made,
              struct error *err);

/* Takes it all back.  'made' is NULL when the maker died half-way; then the id is all there is. */
void maker_undo(const struct supervise_options *options, const struct made *made);

#endif
