/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What flows between a terminal (or pipes) and a container: Docker's frames or raw bytes one way,
 * standard input the other, signals passed on meanwhile.
 */
#ifndef VOLCTL_STREAM_H
#define VOLCTL_STREAM_H

#include "command.h"

enum stream_channel {
    STREAM_STDOUT = 1, /* the numbers of Docker's frames */
    STREAM_STDERR = 2,
};

struct stream {
    struct reply *reply;
    bool is_raw;    /* a terminal's stream: no frames, all of it output */
    bool has_stdin; /* pass standard input on; its end is passed on too */
    int signal_fd;  /* a signalfd, or -1 */

    /* Gets what comes; -1 with err ends the stream. */
    int (*write)(struct stream *stream, enum stream_channel channel, const void *data, size_t size,
                 struct error *err);
    void (*signal)(struct stream *stream, int number);
    const struct command *command;
    const char *subject; /* for the callbacks: a container's or an exec's id */
    struct buf kept[2];  /* stream_keep's: standard output, standard error */
};

/* Runs until the other side ends.  Returns 0 or -1. */
int stream_pump(struct stream *stream, struct error *err);
void stream_done(struct stream *stream);
#define cleanup_stream CLEANUP(stream_done)

/* Ways to write: to our own output, or kept in memory for a JSON document. */
int stream_print(struct stream *stream, enum stream_channel channel, const void *data, size_t size,
                 struct error *err);
int stream_keep(struct stream *stream, enum stream_channel channel, const void *data, size_t size,
                struct error *err);

/* Sets "stdout" and "stderr" of what stream_keep has. */
void stream_set_kept(const struct stream *stream, json_t *object);

/*
 * The terminal on standard input in raw mode until terminal_restore (also at exit).  INVALID where
 * it is none.
 */
int terminal_make_raw(struct error *err);
void terminal_restore(void);

/* POSTs the terminal's size to 'path'; no failure is worth telling. */
void terminal_send_size(const struct command *command, const char *path);

#endif
