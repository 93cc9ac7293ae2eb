/* SPDX-License-Identifier: Apache-2.0 */
/* Execs: further processes in a running container.  They live in memory, as Docker's do. */
#ifndef CORE_EXEC_H
#define CORE_EXEC_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/container.h"

struct execs;
struct execs *execs_new(void);
void execs_free(struct execs *execs);

/* 'config' is Docker's exec create body.  CONFLICT when the container does not run or is paused. */
int exec_create(struct task *task, const char *ref, const json_t *config, const char **id,
                struct error *err);

/* A snapshot of its state, to be ended by exec_done(). */
int exec_get(struct task *task, const char *id, struct exec *exec, struct error *err);

/* Drops the JSON reference; NULL-safe, idempotent. */
void exec_done(struct exec *exec);
#define cleanup_exec CLEANUP(exec_done)

struct exec_start_spec {
    bool is_detached;
    bool is_terminal; /* as the client believes; what it was created with holds */
    int rows;         /* of the terminal; 0: not known */
    int columns;
};

/* Whether it can be started by now: NOT_FOUND; CONFLICT as exec_create().  For a door that must
 * answer its client before the command's first output. */
int exec_check(struct task *task, const char *id, struct error *err);

/*
 * Starts it.  Detached: *fd is -1.  Else *fd is the stream (taken over).  A command that cannot be
 * executed is not a failure here: the message is in the stream and the exit code 126 or 127, as
 * dockerd.
 */
int exec_start(struct task *task, const char *id, const struct exec_start_spec *spec, int *fd,
               struct error *err);
int exec_resize(struct task *task, const char *id, int rows, int columns, struct error *err);

struct exec_run_spec {
    const char *const *argv;
    int64_t timeout_ms;
    size_t max_bytes; /* of its output; what is more is read and forgotten */
    int cancel_fd;    /* readable: the result is not wanted any more; -1: none */
};

struct exec_result {
    int64_t exit_code;
    const char *output;
};

/* Runs a command to its end, for healthchecks: no client, no events.  TIMEOUT: it was killed. */
int exec_run(struct task *task, const char *container_id, const struct exec_run_spec *spec,
             struct exec_result *result, struct error *err);

#endif
