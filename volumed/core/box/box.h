/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's directory STATE/containers/<id>/, "the box": what lies in it, and how its
 * supervisor is found.  Nothing in a new box needs to survive power loss: start makes again what is
 * missing.
 */
#ifndef CORE_BOX_H
#define CORE_BOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "core/operation/task.h"

struct box_exit {
    int64_t code; /* as shells see it: 128 + signal */
    int64_t signal;
    bool is_oom;
    int64_t started_ns;
    int64_t finished_ns;
    const char *message; /* of a program that could not be executed; NULL otherwise */
};

const char *box_path(struct task *task, const char *id);

/* Makes the box with rootfs/, upper/ and work/; what is there already is kept.  Idempotent. */
int box_make(struct task *task, const char *id, struct error *err);

/* Its directory; NOT_FOUND when there is none. */
int box_open(struct task *task, const char *id, struct error *err);
int box_remove(struct task *task, const char *id, struct error *err);

/* Reads the file 'exit' of a box's or an exec's directory: 1 there, 0 not there. */
int box_read_exit(struct arena *mem, int dirfd, struct box_exit *result, struct error *err);

/* The PID in a supervisor's status, "running PID STARTED_NS"; 0 when there is none. */
int64_t box_status_pid(const char *status);

/* From "CODE SIGNAL OOM STARTED_NS FINISHED_NS". */
int box_exit_parse(const char *text, struct box_exit *result, struct error *err);

#endif
