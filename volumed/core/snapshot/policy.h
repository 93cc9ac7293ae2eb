/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies: volumes are cut when a schedule says so, and what no rule keeps goes.  A policy is for
 * one volume, for all with a label, or for what a container has attached, which is cut as a set. It
 * owns the snapshots that bear its name in their label POLICY_LABEL, and those made before
 * rollbacks if it has a rule for them; all others are none of its business.
 */
#ifndef CORE_POLICY_H
#define CORE_POLICY_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/calendar.h"
#include "model/policy.h"
#include "model/retention.h"
#include "model/volume.h"

struct policy_spec {
    const char *name;
    const char *schedule;
    const char *keep;
    int64_t jitter_ms;
    const char *volume; /* one of these three */
    const char *label;  /* KEY or KEY=VALUE */
    const char *container;
};

int policy_create(struct task *task, const struct policy_spec *spec, struct policy *policy,
                  struct error *err);

/* By name, else by id.  NOT_FOUND. */
int policy_get(struct task *task, const char *ref, struct policy *policy, struct error *err);
int policy_list(struct task *task, struct policy **list, struct error *err);

/* Its snapshots stay, and belong to nobody until a policy of that name is made again. */
int policy_remove(struct task *task, const char *ref, struct error *err);

/*
 * What a volume's options 'snapshots' and 'keep' ask for.  The check is INVALID for what makes no
 * sense; the other makes the policy in the transaction that makes the volume.
 */
int policy_check_options(const struct pairs *options, struct error *err);
int policy_insert_of_volume(struct task *task, const struct volume *volume, struct error *err);

/* In a transaction: a policy of which name, schedule, keep, jitter and target are given. */
int policy_insert(struct task *task, struct policy *policy, struct error *err);

/* The volumes that it is for at this moment, without those that cannot be cut; none for a
 * container, whose volumes are cut as a set. */
int policy_volumes(struct task *task, const struct policy *policy, struct volume **list,
                   struct error *err);

/* A snapshot or a set that a policy owns, and what becomes of it. */
struct policy_item {
    const char *id;
    const char *name;      /* VOLUME@SNAPSHOT, or the set's */
    const char *volume_id; /* NULL: a set */
    struct retention_item facts;
    struct retention_verdict verdict;
};

/* Those of one volume; a container's are sets, which are judged as wholes. */
struct policy_verdicts {
    const char *name;          /* the volume's or the container's */
    const char *pool_id;       /* whose space counts; NULL: there is nothing yet */
    const char *volume_id;     /* NULL: sets */
    struct policy_item *items; /* oldest first */
    int count;
};

/* 'volume' is NULL for a policy that is for a container. */
int policy_judge(struct task *task, const struct policy *policy, const struct volume *volume,
                 struct policy_verdicts *verdicts, struct error *err);

/* One for each volume, or one for a container's sets.  Returns the count; changes nothing. */
int policy_plan(struct task *task, const char *ref, struct policy_verdicts **list,
                struct error *err);

struct policy_result {
    int made;
    int expired;
    int failed; /* volumes that could not be cut */
};

/*
 * Cuts each of its volumes, or its container's as a set, then removes what no rule keeps.  Goes on
 * after a volume that fails, and tells the first error in the end; *result is filled in any case.
 */
int policy_run(struct task *task, const char *ref, struct policy_result *result, struct error *err);

/* The job: runs what is due, each once however long it is overdue.  And when the next will be. */
int policy_run_due(struct task *task, struct error *err);
int policy_next_due(struct task *task, int64_t *due_ms, struct error *err);

/* --- between the files of policies --- */
extern const struct zone policy_zone; /* the host's */

/* Sets due and next to the first time after 'after_ms', with the policy's share of its jitter. */
int policy_set_due(struct policy *policy, int64_t after_ms, struct error *err);
int policy_event(struct task *task, const char *action, const struct policy *policy,
                 const struct pairs *more, struct error *err);

#endif
