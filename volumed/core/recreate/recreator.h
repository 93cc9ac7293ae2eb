/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads that recreations and scalings run in: one each, since a probation may last for hours
 * and holds no worker of the doors.
 */
#ifndef CORE_RECREATOR_H
#define CORE_RECREATOR_H

#include <stdbool.h>

#include "base/error.h"

struct service;
struct recreator;
struct task;

/* Takes on the row 'id'.  An error is tried again; 'stop_fd' is readable once the service ends. */
typedef int (*recreator_run_fn)(struct task *task, const char *id, bool is_resumed, int stop_fd,
                                struct error *err);

struct recreator *recreator_new(struct service *service, struct error *err);

/* Ends the threads: each leaves its row where it is, for the next start.  NULL-safe. */
void recreator_free(struct recreator *recreator);

/* Runs it in a thread of its own; is_resumed tells that an earlier process began it. */
int recreator_begin(struct recreator *recreator, recreator_run_fn run, const char *id,
                    bool is_resumed, struct error *err);

#endif
