/* SPDX-License-Identifier: Apache-2.0 */
/* The clock's door: one thread that runs what is due, through the same verbs that people use. */
#ifndef JOB_SCHEDULER_H
#define JOB_SCHEDULER_H

#include "base/error.h"

struct service;
struct scheduler;

/* After recovery. */
struct scheduler *scheduler_start(struct service *service, struct error *err);

/* Lets the job at work end, then ends the thread.  NULL-safe. */
void scheduler_stop(struct scheduler *scheduler);

#endif
