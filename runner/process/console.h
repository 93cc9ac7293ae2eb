/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudo-terminals of containers, and sending their masters to whoever asked for them. */
#ifndef RUNNER_CONSOLE_H
#define RUNNER_CONSOLE_H

#include "base/error.h"
#include "runner/process/process.h"

struct console {
    int master_fd;
    int terminal_fd;
};

/*
 * Opens a pair on the devpts whose root is 'devpts_fd' (checked to be one; -1: the /dev/pts of the
 * caller's root).  The terminal gets the process's size and owner.
 */
int console_open(int devpts_fd, const struct process *process, struct console *console,
                 struct error *err);

/* Makes the terminal the calling process's controlling one, and its stdin, stdout and stderr. */
int console_take(int terminal_fd, struct error *err);

/* Sends a descriptor over the Unix socket at 'path' (`--console-socket`). */
int console_send(const char *path, int master_fd, struct error *err);

/* As console_send, of any descriptor, with this name as the message. */
int console_send_as(const char *path, const char *name, int sent_fd, struct error *err);

/* Sends data and one descriptor over a connected socket.  Returns 0 or -errno. */
int console_pass(int socket_fd, const void *data, size_t size, int fd);

#endif
