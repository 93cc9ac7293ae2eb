/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names on disk that this process is at work on: data being built before its row is there, or being
 * removed after its row is gone.  Reconcile, which takes data without a row for garbage, keeps its
 * hands off them.  Names are UUIDs, so that kinds of objects need no distinction.
 */
#ifndef CORE_CLAIM_H
#define CORE_CLAIM_H

#include <stdbool.h>

#include "base/list.h"

struct claim {
    struct list node;
    const char *name;
};

/* Waits while another thread has claimed the name.  'name' must outlive the claim. */
void claim_enter(struct claim *claim, const char *name);

/* Does nothing for a claim that was never entered (zero). */
void claim_leave(struct claim *claim);
#define cleanup_claim CLEANUP(claim_leave)

/* Hands a claim over to 'to' (zero), under a copy of its name that outlives that. */
void claim_move(struct claim *from, struct claim *to, const char *name);

bool claim_is_held(const char *name);

#endif
