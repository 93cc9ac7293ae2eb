/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passes between the process that makes a container and the one that becomes it: fixed-size
 * messages over a pair of sequenced-packet sockets, or down the exec fifo.  An error keeps its code
 * and text on the way.
 */
#ifndef RUNNER_MESSAGE_H
#define RUNNER_MESSAGE_H

#include <stdint.h>

#include "base/error.h"

enum message_kind {
    MESSAGE_GO = 1,   /* to init: what you wait for is done; value: your PID as we see it */
    MESSAGE_BUILT,    /* from init: the root stands; limits and hooks are next */
    MESSAGE_CONSOLE,  /* from init: with the pty master */
    MESSAGE_LISTENER, /* from init: with the seccomp notification descriptor */
    MESSAGE_READY,    /* from init: only the program is left to be executed */
    MESSAGE_ERROR,    /* from init: code and text; it ends */
    MESSAGE_PID,      /* from an intermediate process; value: PID of the real one */
};

struct message {
    uint32_t kind;
    uint32_t code; /* enum error_code */
    int32_t value;
    char text[ERROR_MESSAGE_MAX];
};

/* Sends a message, with descriptor 'fd' unless that is -1.  Returns 0 or -errno. */
int message_send(int socket_fd, enum message_kind kind, int value, int fd);

/* Sends an error, over a socket or into a pipe.  Returns 0 or -errno. */
int message_send_error(int fd, const struct error *err);

/*
 * Receives the next; a descriptor that came with it goes to *fd (else -1).  Returns 1, 0 at the end
 * (the other has gone, or has executed its program), or -errno.
 */
int message_receive(int socket_fd, struct message *message, int *fd);

/*
 * Waits for the other side to close, which is execve's doing.  Errors: what it sent instead.
 * 'fd' may be a socket or a pipe.
 */
int message_await_end(int fd, struct error *err);

/* Turns a MESSAGE_ERROR into 'err'.  Returns -1. */
int message_to_error(const struct message *message, struct error *err);

/* A connected pair.  Returns 0 or -errno. */
int message_pair(int fds[2]);

#endif
