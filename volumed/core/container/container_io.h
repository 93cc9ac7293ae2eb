/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What flows out of and into containers while a client waits: attach, logs, wait.  None of it holds
 * a worker while idle: each gives a descriptor to poll.
 */
#ifndef CORE_CONTAINER_IO_H
#define CORE_CONTAINER_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "core/operation/task.h"

struct attach_spec {
    bool has_stdin;
    bool has_stdout;
    bool has_stderr;
    bool has_logs; /* what was written so far first */
};

/*
 * Called once, with the stream's descriptor (taken over), when an attach to a container that was
 * not running is connected because the container starts; or with -1 when it never will (removed,
 * failed to start).  From any thread.
 */
typedef void (*attach_connect_fn)(void *context, int fd);

struct attach_later {
    attach_connect_fn connect;
    void *context;
};

/*
 * Attaches.  Running: *fd is the stream (taken over by the caller).  Not running yet: *fd is -1 and
 * later->connect() is called then; call container_attach_prepare first to know which it will be.
 */
int container_attach(struct task *task, const char *ref, const struct attach_spec *spec, int *fd,
                     const struct attach_later *later, struct error *err);

/* Whether attach would connect later, and whether the stream is raw (a terminal) or framed. */
int container_attach_prepare(struct task *task, const char *ref, bool *is_later, bool *is_terminal,
                             struct error *err);

struct log_spec {
    bool has_stdout;
    bool has_stderr;
    bool is_follow;
    bool has_timestamps;
    bool has_details;
    int64_t since_ns; /* 0: from the beginning */
    int64_t until_ns; /* 0: no end */
    int64_t tail;     /* -1: all */
};

/*
 * Reads a container's log.  log_read appends Docker frames (raw with a terminal) to 'out', a
 * bounded piece at a time: 1 more at once, 0 wait for log_fd to be readable, -1 the end (not a
 * failure).
 */
struct log_reader;
int log_open(struct task *task, const char *ref, const struct log_spec *spec,
             struct log_reader **reader, struct error *err);
int log_fd(const struct log_reader *reader);
bool log_is_raw(const struct log_reader *reader);
int log_read(struct log_reader *reader, struct buf *out);
void log_close(struct log_reader *reader);

/* Waits for "not-running", "next-exit" or "removed". */
struct wait;
int container_wait(struct task *task, const char *ref, const char *condition, struct wait **wait,
                   struct error *err);
int wait_fd(const struct wait *wait); /* readable once it is over */

/* True when it is over; then *exit_code and *message (NULL or the start's error) are set. */
bool wait_is_over(struct wait *wait, int64_t *exit_code, const char **message);
void wait_free(struct wait *wait);

#endif
