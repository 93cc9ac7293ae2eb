/* SPDX-License-Identifier: Apache-2.0 */
/* What a recreation was asked for, as its row keeps it. */
#ifndef CORE_RECREATE_PLAN_H
#define CORE_RECREATE_PLAN_H

#include "core/recreate/recreate.h"

struct recreate_plan {
    int64_t probation_ms;
    int64_t keep;
    bool has_snapshot;
    bool is_rollback;             /* the new ones are generations that are put back */
    bool is_rehearsal;            /* core/recreate/rehearse.h */
    bool is_kept;                 /* of a rehearsal: container and clones stay */
    const char *probe;            /* NULL: none */
    const char *keep_new_data_as; /* NULL: nothing */
    const char *target_set;       /* of the generation that is put back; NULL: data stays */
    const char *const *volumes;   /* ids of those that are cut, NULL-terminated */
};

/* New reference. */
json_t *recreate_plan_json(const struct recreate_plan *plan);
int recreate_plan_read(struct task *task, const char *text, struct recreate_plan *plan,
                       struct error *err);

/* Checks the request against what there is; fills the members and the plan.  Changes nothing. */
int recreate_plan_make(struct task *task, const struct recreate_request *request,
                       struct recreation *recreation, struct recreate_plan *plan,
                       struct error *err);

#endif
