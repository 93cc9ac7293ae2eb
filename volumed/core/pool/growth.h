/* SPDX-License-Identifier: Apache-2.0 */
/* How fast volumes and pools grow, from samples: one row for each, however long it is watched. */
#ifndef CORE_GROWTH_H
#define CORE_GROWTH_H

#include "base/error.h"
#include "core/operation/task.h"

#define GROWTH_DAYS_UNKNOWN (-1)

struct growth {
    int64_t bytes_per_day; /* smoothed over about a day; below 0: it shrinks */
    int64_t full_in_days;  /* at this rate; GROWTH_DAYS_UNKNOWN when it never will be, or too little
                              is known */
};

/* Adds a sample of "volume:<id>" or "pool:<id>".  In a transaction, or one by itself. */
int growth_sample(struct task *task, const char *object, int64_t used_bytes, int64_t now_ms,
                  struct error *err);

/* What samples say of an object with so much room left; room_bytes below 0: no end is known. */
int growth_get(struct task *task, const char *object, int64_t room_bytes, struct growth *growth,
               struct error *err);

#endif
