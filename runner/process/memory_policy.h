/* SPDX-License-Identifier: Apache-2.0 */
/* linux.memoryPolicy: from which nodes of a NUMA machine a container's memory comes. */
#ifndef RUNNER_MEMORY_POLICY_H
#define RUNNER_MEMORY_POLICY_H

#include <jansson.h>
#include <sched.h>
#include <stdbool.h>

#include "base/error.h"

struct memory_policy {
    int mode;        /* MPOL_*, flags included; -1: left as it is */
    cpu_set_t nodes; /* a set like another: bit n is node n */
};

/* 'json' is the object, or NULL.  Errors: INVALID. */
int memory_policy_read(const json_t *json, struct memory_policy *policy, struct error *err);

/* Of the calling process and what comes of it. */
int memory_policy_set(const struct memory_policy *policy, struct error *err);

extern const char *const memory_policy_mode_names[];
extern const char *const memory_policy_flag_names[];

#endif
