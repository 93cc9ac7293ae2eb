/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reconcile is made of: checks, one for each kind of thing on disk or in the kernel.  To add
 * one, write it and put it into the table of core/reconcile/reconcile_checks.c.
 */
#ifndef CORE_RECONCILE_CHECK_H
#define CORE_RECONCILE_CHECK_H

#include "core/reconcile/reconcile.h"

struct reconcile_check {
    const char *name; /* for the error, if the check itself fails */

    /*
     * Adds what it finds, and repairs it if asked to.  It runs while the service is at work: what
     * this process builds or removes at the moment is to be let alone (core/operation/claim.h).  A
     * thing that cannot be checked is a finding, not a failure.
     */
    int (*run)(struct task *task, bool is_repair, struct findings *findings, struct error *err);
};

/* Ends with NULL. */
extern const struct reconcile_check *const reconcile_checks[];

/* Adds a finding; texts are kept by reference. */
void finding_add(struct task *task, struct findings *findings, const struct finding *finding);

/*
 * True when data of this name may be removed as garbage: nobody has claimed it, no running
 * operation mentions it, no volume and no snapshot of the pool has it.  -1 when that cannot be
 * asked.
 */
int reconcile_is_garbage(struct task *task, const char *pool_id, const char *name,
                         struct error *err);

extern const struct reconcile_check reconcile_operations;
extern const struct reconcile_check reconcile_pools;
extern const struct reconcile_check reconcile_disks;
extern const struct reconcile_check reconcile_volumes;
extern const struct reconcile_check reconcile_plugin_mounts;
extern const struct reconcile_check reconcile_boxes;
extern const struct reconcile_check reconcile_trash;
extern const struct reconcile_check reconcile_limits;

#endif
