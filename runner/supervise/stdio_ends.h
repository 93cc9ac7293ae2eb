/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The standard streams of a supervised process: made as pipes or taken from a pty, and the
 * supervisor's ends of them.  Reading, writing and half-written input; who gets the output is the
 * supervisor's business.
 */
#ifndef RUNNER_STDIO_ENDS_H
#define RUNNER_STDIO_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

#define STDIO_INPUT_MAX 4096

/* The supervisor's ends, non-blocking.  -1: closed, or not there. */
struct stdio {
    bool is_terminal;
    int input_fd;         /* of a terminal: a duplicate of output_fd[0] */
    int output_fd[2];     /* stdout and stderr; a terminal has only the first */
    bool input_is_ending; /* no more will come after what is held */
    bool input_is_over;   /* nothing is held, nothing will come, or nobody reads: close it */
    size_t input_used;
    size_t input_size;
    char input[STDIO_INPUT_MAX]; /* accepted from a client, not yet taken by the process */
};

/*
 * Makes pipes: 'theirs' become the process's 0, 1 and 2.  Without has_input their stdin is
 * /dev/null.
 */
int stdio_make_pipes(struct stdio *stdio, bool has_input, int theirs[3], struct error *err);

/* Uses our ends of pipes made by another process, and takes them over.  input_fd may be -1. */
void stdio_use_pipes(struct stdio *stdio, int input_fd, const int output_fd[2]);

/* Uses the pty whose master is 'console_fd', which it takes over. */
int stdio_use_terminal(struct stdio *stdio, int console_fd, struct error *err);

void stdio_close(struct stdio *stdio);

/*
 * Reads some output of stream 0 or 1: bytes, 0 at the end of the stream, -EAGAIN when there is none
 * now, -EIO of a terminal that no process has open at the moment.
 */
ssize_t stdio_read(const struct stdio *stdio, int stream, char *data, size_t size);
void stdio_close_output(struct stdio *stdio, int stream);

/* True when stdio_receive can take something from a client. */
bool stdio_wants_input(const struct stdio *stdio);

/*
 * Moves input from a client's socket to the process.  Returns the bytes taken, 0 when the client
 * has ended its side, or -errno (-EAGAIN: nothing there).
 */
ssize_t stdio_receive(struct stdio *stdio, int socket_fd);

/* Writes what is held back, as far as the process takes it. */
void stdio_flush_input(struct stdio *stdio);

/* No more input will come; of a terminal, which others may attach to, that means nothing. */
void stdio_end_input(struct stdio *stdio);

/* True when stdio_close_input is to be called, which gives the process its end of file. */
bool stdio_input_is_over(const struct stdio *stdio);
void stdio_close_input(struct stdio *stdio);

int stdio_resize(const struct stdio *stdio, int rows, int columns, struct error *err);

#endif
