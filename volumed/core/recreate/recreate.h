/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recreation: containers are replaced by others, software and data together, or both stay as they
 * were.  A recreation is a row whose state says what has been begun, and a thread that takes it on:
 *
 *   preparing   the new ones are made, under names of their own; a mistake shows here
 *   stopping    the old ones stop, the last first
 *   cutting     what their volumes hold becomes a set of snapshots
 *   switching   one transaction: the new ones get the names, the old ones are generations
 *   starting    the new ones start, the first first
 *   probation   they are watched
 *   committed   ── or, from any state before:
 *   undoing     the new ones stop, volumes go back to the set (what they held is kept as another),
 *               names go back, what ran before runs again
 *   rolled_back
 *
 * The rule after a crash: what had not reached its probation is undone; a probation is gone on
 * with, since containers run on without us; what was being undone is undone.
 */
#ifndef CORE_RECREATE_H
#define CORE_RECREATE_H

#include "base/error.h"
#include "base/json.h"
#include "core/operation/task.h"
#include "model/recreation.h"

#define RECREATE_MEMBERS_MAX  32
#define PROBATION_MS_DEFAULT  30000
#define PROBATION_MANUAL      (-1)
#define RECREATE_KEEP_DEFAULT 3
#define RECREATE_STOP_DEFAULT (-1) /* the container's own timeout */

struct recreate_target {
    const char *name;     /* a container */
    const json_t *change; /* of Docker's create body; NULL: the same options, its image anew */
    int64_t generation;   /* not 0: put this generation of it back instead; -1: the one before */
};

struct recreate_request {
    struct recreate_target targets[RECREATE_MEMBERS_MAX]; /* in the order of starting */
    size_t count;
    int64_t probation_ms; /* PROBATION_MANUAL: until somebody decides */
    const char *probe;    /* a shell command in each new container, every second; NULL: none */
    bool has_no_snapshot; /* volumes are not cut and do not go back */
    const char *keep_new_data_as; /* when undone: a volume of this name gets what was there; NULL */
    int64_t keep;                 /* generations kept when it is committed */
    bool is_dry_run;
};

/*
 * Checks all that can be checked, makes the row and hands it to a thread; *recreation is its
 * beginning.  CONFLICT: a member runs with --rm, is in another recreation, or shares a volume that
 * a stranger may write.  With is_dry_run nothing is made but the answer.
 */
int recreate_begin(struct task *task, const struct recreate_request *request,
                   struct recreation *recreation, struct error *err);

int recreate_get(struct task *task, const char *id, struct recreation *recreation,
                 struct error *err);

/* Newest first, of one container or (NULL) of all. */
int recreate_list(struct task *task, const char *name, struct recreation **list, struct error *err);

/* Ends a probation by hand.  CONFLICT when it is in none. */
int recreate_decide(struct task *task, const char *id, bool is_commit, struct error *err);

/* Takes on what an earlier process left, each in a thread.  At start, when containers are known. */
int recreate_resume_all(struct task *task, struct error *err);

#endif
