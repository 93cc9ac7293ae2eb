/* SPDX-License-Identifier: Apache-2.0 */
/* Execs: further processes in a running container.  They live in memory, as Docker's do. */
#ifndef CORE_EXEC_H
#define CORE_EXEC_H

#include "base/error.h"
#include "core/task.h"
#include "model/container.h"

struct execs;
struct execs *execs_new(void);
void execs_free(struct execs *execs);

/* 'config' is Docker's exec create body.  CONFLICT when the container does not run or is paused. */
int exec_create(struct task *task, const char *ref, const json_t *config, const char **id,
                struct error *err);

/* A snapshot of its state; exec->config is borrowed until the task ends. */
int exec_get(struct task *task, const char *id, struct exec *exec, struct error *err);

/*
 * Starts it.  Detached: *fd is -1.  Else *fd is the stream (taken over).  A command that cannot be
 * executed is not a failure here: the message is in the stream and the exit code 126 or 127, as
 * dockerd.
 */
int exec_start(struct task *task, const char *id, bool is_detached, bool is_terminal, int rows,
               int columns, int *fd, struct error *err);
int exec_resize(struct task *task, const char *id, int rows, int columns, struct error *err);

/* Runs a command to its end and collects at most max_bytes of its output; for healthchecks. */
int exec_run(struct task *task, const char *container_id, const char *const *argv,
             int64_t timeout_ms, size_t max_bytes, int64_t *exit_code, const char **output,
             struct error *err);

#endif
