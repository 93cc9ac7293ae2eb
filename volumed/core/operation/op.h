/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operation engine: one crash-safe change at a time on an object.
 *
 *             prepare(tx)+intents    apply(disk)          finish(tx)-intents
 *    op_run ──────────●───────────────────●─────────────────────●── done
 *                     │                   └ fails: revert(disk) → abandon(tx)-intents ── nothing
 *    op_resume ───────┘  (after a crash)
 *
 * A verb is one 'const struct op_kind'.  apply and revert are idempotent by contract: recovery is
 * the same code, resumed at apply.  The intents are the locks: a second operation on an object that
 * one holds is BUSY and names the operation.
 *
 * A kind without prepare builds under a name that nobody knows yet (a new UUID) and publishes it in
 * finish: one commit.  A crash leaves garbage that reconcile removes.
 */
#ifndef CORE_OP_H
#define CORE_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/uuid.h"
#include "core/operation/task.h"

#define OP_OBJECTS_MAX 64

struct op;
typedef int (*op_step_fn)(struct task *task, struct op *op, struct error *err);

struct op_kind {
    const char *name; /* "snapshot.create" */

    /* In a transaction: checks, moves states, fills op->note.  NULL: no intents, no crash record.
     */
    op_step_fn prepare;

    /* On disk, idempotent, durable on return. */
    op_step_fn apply;

    /* In a transaction: publishes; writes events by event_emit(). */
    op_step_fn finish;

    /* On disk, idempotent: takes back whatever part of apply was done.  NULL: nothing to take back.
     */
    op_step_fn revert;

    /* In a transaction: takes prepare's rows back.  NULL: prepare changed none. */
    op_step_fn abandon;

    /* After a crash: fills op->data from op->note.  Required where prepare is. */
    op_step_fn load;

    /* After finish or abandon: work whose loss only leaves garbage (removing replaced data).  May
     * be NULL. */
    void (*after)(struct task *task, struct op *op, bool is_done);
};

struct op {
    const struct op_kind *kind;
    const char *subject; /* for people: "volume 'data'" */
    const char
        *objects[OP_OBJECTS_MAX]; /* "volume:<id>", held from prepare to finish; NULL-terminated */
    void *data;                   /* the kind's own, in the arena */
    json_t *note;                 /* the durable part of data; set by prepare (or before op_run) */
    json_t *result;     /* what a repeat with the same Idempotency-Key gets; may be NULL */
    char id[UUID_SIZE]; /* filled by the engine */
    bool is_resumed;    /* true in a run after a crash */
    bool is_replayed;   /* the idempotency key was seen: nothing ran, result is the first run's */
};

/*
 * Runs one operation to its end.  Durable on return.  Errors: those of the steps; BUSY when an
 * object is held; PENDING when the disk has changed but finish failed (reconcile completes it).
 */
int op_run(struct task *task, struct op *op, struct error *err);

/*
 * For verbs that no longer find their object when they are repeated, to be asked first: 1 when the
 * task's idempotency key was seen with op's kind, and op->result is the first run's; 0 when it is
 * new, or there is none.  Errors: CONFLICT for a key of another kind, BUSY while it runs.
 */
int op_replay(struct task *task, struct op *op, struct error *err);

/* Frees op's JSON. */
void op_done(struct op *op);
#define cleanup_op CLEANUP(op_done)

/*
 * Finishes or undoes every operation that a crash (or a failed finish) left running.  Called at
 * start before any door opens but the plugin's, and by reconcile.  Operations of this process that
 * are still at work are left alone.  Returns how many were settled.
 */
int op_resume_all(struct task *task, struct error *err);

/* True for an operation that a thread of this process is running at this moment. */
bool op_is_at_work(const char *id);

/* Kinds register themselves in this table (core/operation/op_kinds.c), so that resume finds them by
 * name. */
extern const struct op_kind *const op_kinds[];

struct operation;
int operation_list(struct task *task, bool only_running, int limit, struct operation **list,
                   struct error *err);
int operation_get(struct task *task, const char *id, struct operation *operation,
                  struct error *err);

#endif
