/* SPDX-License-Identifier: Apache-2.0 */
/* Writing down that a container has ended, and what follows from it. */
#ifndef CORE_CONTAINER_EXIT_H
#define CORE_CONTAINER_EXIT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/box/box.h"

struct exit_outcome {
    bool is_removed; /* it was one that removes itself */
    bool will_restart;
    int64_t delay_ms; /* until then */
};

/*
 * Idempotent: a container that does not run (any more) is left alone.  Wakes those who wait.
 * 'last_delay_ms' is the delay before its last restart, 0 if there was none.  Durable on return.
 */
int container_record_exit(struct task *task, const char *id, const struct box_exit *end,
                          int64_t last_delay_ms, struct exit_outcome *outcome, struct error *err);

/* Out of memory: an event, and a mark in the row. */
int container_record_oom(struct task *task, const char *id, struct error *err);

#endif
