/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs on sets: snapshots of several volumes, cut at one instant, each VOLUME@NAME.
 *
 * They may be used inside another operation that holds the volumes, which then gives its id as
 * 'holder'.  A set is made by an operation of its own even then: whoever is resumed after a crash
 * asks set_get() for the name first.  A rollback becomes part of the other operation:
 *
 *    its prepare   set_rollback_plan(), set_rollback_prepare(), and set_rollback_note() into its
 *                  note; "set:<id>" and "volume:<id>" of all members among its objects
 *    its load      set_rollback_load() from the note
 *    its apply     set_rollback_apply()
 *    its finish    set_rollback_finish()
 *    its revert    set_rollback_revert()
 */
#ifndef CORE_SET_H
#define CORE_SET_H

#include "base/error.h"
#include "base/json.h"
#include "core/operation/task.h"
#include "core/snapshot/hook.h"
#include "core/snapshot/rollback.h"
#include "model/set.h"

struct set_spec {
    const char *name;
    const char *const *volumes;    /* NULL-terminated, or NULL; likewise containers */
    const char *const *containers; /* all volumes of these, running or not */
    const char *reason;            /* NULL: "user" */
    struct pairs labels;
    int64_t freeze_timeout_ms; /* for all together; 0: the default, 5000 */
    struct hook_spec hooks;
    const char *holder; /* id of the operation within which this happens, or NULL */
};

/*
 * Cuts all the volumes at one instant: syncs, freezes whoever may write to any of them, cuts,
 * thaws, and publishes all in one transaction.  The measured pause is set->pause_ns; set->warnings
 * tells who was not held.  Past the deadline: thawed, nothing left, TIMEOUT names who
 * was slow.  BUSY when a container with one of the volumes was started meanwhile.  Durable on
 * return.
 */
int set_create(struct task *task, const struct set_spec *spec, struct snapshot_set *set,
               struct error *err);

/* By name, else by id; with its members. */
int set_get(struct task *task, const char *ref, struct snapshot_set *set, struct error *err);

/* Oldest first, with their members.  Returns the count. */
int set_list(struct task *task, struct snapshot_set **list, struct error *err);

/* Removes all members, to the trash unless is_now: all or none.  The set is whole again when all of
 * them are restored. */
struct set_remove_spec {
    bool is_dry_run;
    bool is_now;
};

int set_remove(struct task *task, const char *ref, const struct set_remove_spec *spec,
               struct error *err);

/*
 * Puts all volumes of a set back, in one operation.  What they held becomes a set of reason
 * "safety", returned in *safety.  Refused as a whole: BUSY while anything has one of them mounted,
 * naming who; CONFLICT when one is protected or a member is no more.  Crash-safe at each step: all
 * or none.  With is_dry_run only the checks are made and *safety is left alone.
 */
int set_rollback(struct task *task, const char *ref, bool is_dry_run, struct snapshot_set *safety,
                 struct error *err);

/* As above, for those who find out after a crash whether it was done: the safety set gets this
 * name.
 */
int set_rollback_as(struct task *task, const char *ref, const char *safety_name,
                    struct snapshot_set *safety, struct error *err);

/* Clones all members to new volumes, PREFIX<volume>SUFFIX: all or none.  Returns how many. */
struct set_clone_spec {
    const char *prefix; /* NULL: none; one of the two must be given */
    const char *suffix;
    const char *pool; /* NULL: each where its source is */
    struct pairs labels;
};

int set_clone(struct task *task, const char *ref, const struct set_clone_spec *spec,
              struct volume **volumes, struct error *err);

/* --- a rollback as part of another operation; see above --- */
struct set_rollback {
    const char *set_id;
    const char *set_name;
    struct snapshot_set safety;
    struct rollback *members;
    size_t count;
};

/* 'safety_name' NULL: "before-<time>". */
int set_rollback_plan(struct task *task, const struct snapshot_set *set, const char *safety_name,
                      struct set_rollback *rollback, struct error *err);
int set_rollback_prepare(struct task *task, struct set_rollback *rollback, struct error *err);

/* New reference. */
json_t *set_rollback_note(const struct set_rollback *rollback);
int set_rollback_load(struct task *task, const json_t *note, struct set_rollback *rollback,
                      struct error *err);
int set_rollback_apply(struct task *task, const struct set_rollback *rollback, struct error *err);
int set_rollback_finish(struct task *task, const struct set_rollback *rollback, struct error *err);
int set_rollback_revert(struct task *task, const struct set_rollback *rollback, struct error *err);

/* In a transaction: the set's event. */
int set_event(struct task *task, const char *action, const struct snapshot_set *set,
              struct error *err);

#endif
