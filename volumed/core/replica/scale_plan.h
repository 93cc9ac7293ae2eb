/* SPDX-License-Identifier: Apache-2.0 */
/* What a scaling was asked for, as its row keeps it, and what it comes to. */
#ifndef CORE_SCALE_PLAN_H
#define CORE_SCALE_PLAN_H

#include "core/replica/golden.h"
#include "core/replica/scale.h"
#include "model/container.h"

struct scale_plan {
    int64_t replicas;
    bool is_refresh;
    const char *const *keep; /* cleaned paths in the container, NULL-terminated */
};

/* New reference. */
json_t *scale_plan_json(const struct scale_plan *plan);
int scale_plan_read(struct task *task, const char *text, struct scale_plan *plan,
                    struct error *err);

/*
 * Whether replicas can be made of it: each of its volumes is in the golden state, or anonymous
 * (each replica gets its own, empty), or only read (all share it).
 */
int scale_check_template(const struct container *template, const struct golden *golden,
                         struct error *err);

/* {"add", "remove", "refresh"}: names, in the order of the work.  New reference. */
json_t *scale_preview(struct task *task, const char *group, const struct scale_plan *plan,
                      struct error *err);

#endif
