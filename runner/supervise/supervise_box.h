/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The box: the directory of one supervised container or exec, as the supervisor's way to the world.
 * Owns the lock that keeps a second supervisor out, ctl.sock, and the exit file.
 */
#ifndef RUNNER_SUPERVISE_BOX_H
#define RUNNER_SUPERVISE_BOX_H

#include <stdbool.h>

#include "base/error.h"

#define BOX_SOCKET "ctl.sock"
#define BOX_EXIT   "exit"
#define BOX_PID    "supervise.pid"

struct box {
    int fd;
    int lock_fd; /* BOX_PID, locked for as long as this process has it open */
    int exit_fd; /* the exit file to be, its space already taken; -1: none */
};

/*
 * Opens and locks 'path', removes what an earlier supervisor left, and reserves space for the exit
 * file, so that a full disk does not keep it from being written.
 *
 * Errors: BUSY (another supervisor lives there), NOT_FOUND.
 */
int box_open(struct box *box, const char *path, struct error *err);

/* Writes the PID file and listens on ctl.sock (mode 0600); returns the socket. */
int box_listen(const struct box *box, struct error *err);

/* Durable on return. */
int box_write_exit(struct box *box, const char *text, struct error *err);

/* Removes ctl.sock and the PID file and gives up the lock: another supervisor may move in. */
void box_leave(struct box *box);

/* True when somebody removed the directory. */
bool box_is_removed(const struct box *box);

#endif
