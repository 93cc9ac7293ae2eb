/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client that follows a process's output: what it asked for, Docker's frames, and what it has
 * not taken yet.  Knows nothing of where output comes from, nor of other clients.
 *
 * A client that does not read makes attach_has_room() false, and then the supervisor stops reading
 * the process's output.  What the process had already written when it ended is taken all the same,
 * hence a ring that is larger than the limit.
 */
#ifndef RUNNER_ATTACH_H
#define RUNNER_ATTACH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define ATTACH_HELD_MAX  ((size_t)1 << 20)
#define ATTACH_RING_SIZE ((size_t)4 << 20) /* reserved, not occupied */

enum attach_stream {
    ATTACH_STDIN = 1 << 0,
    ATTACH_STDOUT = 1 << 1,
    ATTACH_STDERR = 1 << 2,
    ATTACH_LOGS = 1 << 3, /* what was logged before comes first */
};

struct attach {
    char *ring; /* NULL: not attached */
    size_t begin;
    size_t size;
    size_t peak; /* most that was held since the ring was last given back */
    unsigned int streams;
    bool is_framed;  /* not of a terminal */
    bool is_held_up; /* something else writes to the client first; only collect */
};

/* "stdin,stdout,stderr,logs" as enum attach_stream.  Errors: INVALID. */
int attach_parse(const char *text, unsigned int *streams, struct error *err);

int attach_begin(struct attach *attach, unsigned int streams, bool is_framed, struct error *err);
void attach_end(struct attach *attach);
bool attach_is_on(const struct attach *attach);

bool attach_has_room(const struct attach *attach);

/* True when something waits for attach_flush(). */
bool attach_has_held(const struct attach *attach);

/*
 * Gives output of stream 0 or 1 to the client, or keeps it.  Returns -errno when the client is gone
 * (or holds more than the ring has room for).
 */
int attach_put(struct attach *attach, int fd, int stream, const char *data, size_t size);

/* Sends what is held, as far as the client takes it: bytes sent, or -errno when it is gone. */
int attach_flush(struct attach *attach, int fd);

#endif
