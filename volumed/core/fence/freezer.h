/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holding containers still while their volumes are cut.  The verbs on snapshots ask for it through
 * this table, and the verbs on containers fill it in (service->freezer), so that neither knows the
 * other.
 */
#ifndef CORE_FREEZER_H
#define CORE_FREEZER_H

#include <stdint.h>

#include "base/error.h"
#include "core/operation/task.h"

struct freezer {
    /*
     * Stops every process of a running container, and returns when all of them stand still.  The
     * lease ends by itself 'timeout_ms' after the call, whatever becomes of us.  *lease is for
     * thaw(), which must be called; it lives in the task's arena or outlives it, as the callee
     * likes.
     *
     * Errors: TIMEOUT (not still in time; it runs again), NOT_FOUND (it has ended: nothing to
     * hold).
     */
    int (*freeze)(struct task *task, const char *container_id, int64_t timeout_ms, void **lease,
                  struct error *err);

    /*
     * Lets it run again.  *pause_ns is how long it stood still.  TIMEOUT when the lease had ended
     * before, so that what was done meanwhile was not under the fence; it runs in any case.
     */
    int (*thaw)(struct task *task, void *lease, int64_t *pause_ns, struct error *err);

    /*
     * The same for control groups of others, all at once; NULL: they cannot be held.  Making the
     * lease freezes nothing yet, so that what is slow about it is not part of the pause;
     * thaw_groups() is to be called for a lease that was made, in any case.
     */
    int (*make_groups)(struct task *task, const char *const *groups, void **lease,
                       struct error *err);
    int (*freeze_groups)(struct task *task, void *lease, int64_t timeout_ms, struct error *err);
    int (*thaw_groups)(struct task *task, void *lease, int64_t *pause_ns, struct error *err);
};

#endif
