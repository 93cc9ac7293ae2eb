/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a recreation from its state to its end, in the calling thread. */
#ifndef CORE_RECREATE_RUN_H
#define CORE_RECREATE_RUN_H

#include "core/recreate/recreate.h"
#include "core/recreate/recreate_plan.h"

/* One under way. */
struct recreate_run {
    struct task *task;
    struct recreation *recreation;
    struct recreate_plan plan;
    json_t *report;
    int stop_fd; /* readable: the service ends, leave it as it is; -1: nobody stops it */
};

/*
 * Makes the new containers; in the request, so that what is wrong with them is its answer.  When it
 * fails, they and the row are gone again.
 */
int recreate_prepare(struct task *task, const struct recreate_request *request,
                     struct recreation *recreation, struct error *err);

/*
 * Runs until it is committed or rolled back, or until stop_fd says so.  That a step fails is no
 * error here but the reason of the undoing.  An error is one of the database, or an undoing that
 * did not work; it is tried again at the next start.
 */
int recreate_run(struct task *task, const char *id, bool is_resumed, int stop_fd,
                 struct error *err);

/* The steps, for recreate_run() alone. */
int recreate_stop(struct recreate_run *run, struct error *err);
int recreate_cut(struct recreate_run *run, struct error *err);
int recreate_switch(struct recreate_run *run, struct error *err);
int recreate_start(struct recreate_run *run, struct error *err);

/* 1: commit; 0: the service ends; -1: undo, err says why. */
int recreate_watch(struct recreate_run *run, struct error *err);

/* Idempotent; the row is in state 'undoing' and stays so when it fails. */
int recreate_undo(struct recreate_run *run, struct error *err);

/* The name of a new container before it takes its own. */
const char *recreate_next_name(struct task *task, const struct recreation *recreation,
                               const char *name);

/* Of the report, which answers and events show. */
void recreate_report(struct recreate_run *run, const char *key, json_t *value);
int64_t recreate_reported(const struct recreate_run *run, const char *key);

/* Whether the new ones have the names. */
int recreate_is_switched(struct recreate_run *run, bool *is_switched, struct error *err);

/* Its last transaction: state, figures, events. */
int recreate_end(struct recreate_run *run, const char *state, struct error *err);

/* Writes the row.  In a transaction of the caller's, or in one of its own. */
int recreate_save(struct recreate_run *run, struct error *err);

/* Event "recreate" (of a rehearsal: "rehearse") of each member's container, with state and reason;
 * in the caller's transaction.
 */
int recreate_emit(struct recreate_run *run, struct error *err);

#endif
