/* SPDX-License-Identifier: Apache-2.0 */
/* How readily the kernel ends a process for lack of memory. */
#ifndef RUNNER_OOM_H
#define RUNNER_OOM_H

#include <sys/types.h>

#include "base/error.h"
#include "runner/spec/field.h"

/*
 * Sets oom_score_adj of a process of ours, if 'score' is set; from outside, since a process that
 * cannot be looked into cannot write its own either.
 */
int oom_score_adjust(pid_t pid, const struct limit *score, struct error *err);

#endif
