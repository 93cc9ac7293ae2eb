/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities: their names, sets of them, and putting sets in force. */
#ifndef RUNNER_CAPABILITY_H
#define RUNNER_CAPABILITY_H

#include <stdint.h>

#include "base/error.h"
#include "runner/process/process.h"

/* One bit a capability, as in the kernel's numbering. */
struct capabilities {
    uint64_t bounding;
    uint64_t effective;
    uint64_t permitted;
    uint64_t inheritable;
    uint64_t ambient;
};

/* The number of "CAP_KILL" (any case, with or without "CAP_"), or -EINVAL. */
int capability_find(const char *name);
const char *capability_name(int number); /* NULL beyond the last */

/* Sets of names to sets of bits.  Errors: INVALID names the unknown one. */
int capabilities_read(const struct process *process, struct capabilities *capabilities,
                      struct error *err);

/* Narrows what any later program may get; before the user is changed. */
int capabilities_bound(const struct capabilities *capabilities, struct error *err);

/* The sets of the calling process; after the user was changed, with PR_SET_KEEPCAPS. */
int capabilities_set(const struct capabilities *capabilities, struct error *err);

#endif
