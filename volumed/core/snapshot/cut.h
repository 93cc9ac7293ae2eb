/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cut: snapshots of one or several volumes, taken at one instant and published together.  Not a
 * verb but what the verbs that make snapshots are made of, to be called in this order:
 *
 *    cut_add()      for each volume: checks, and a new UUID under which its snapshot is built
 *    cut_take()     on disk (op's apply): fence, copies, fence down; durable on return
 *    cut_insert()   in a transaction (op's finish): checks that the volumes are still what was cut
 *    cut_discard()  on disk (op's revert): takes the copies back; idempotent
 */
#ifndef CORE_CUT_H
#define CORE_CUT_H

#include "core/fence/fence.h"
#include "core/operation/claim.h"
#include "core/operation/op.h"

#define CUT_MEMBERS_MAX (OP_OBJECTS_MAX - 1)

struct driver_pool;

struct cut_member {
    struct volume volume;
    struct snapshot snapshot;
    struct claim claim;
    const struct driver_pool *pool;
    int source_fd;
    int place_fd; /* where its snapshot is made */
    int64_t took_ms;
};

/* Zero is an empty cut. */
struct cut {
    struct cut_member *members; /* CUT_MEMBERS_MAX of them */
    size_t count;
    int64_t freeze_timeout_ms; /* 0: the default */
    const char *holder; /* id of the operation that holds the volumes and within which this happens;
                           NULL: none may hold them */
    struct fence fence; /* lowered; whom it held */
    int64_t pause_ns;
};

/*
 * 'pattern' says what the snapshot will be: name (NULL: of the time), reason, labels, set_id.
 * INVALID (a bad name, too many volumes), BUSY, UNSUPPORTED (foreign), EXISTS.
 */
int cut_add(struct task *task, struct cut *cut, const struct volume *volume,
            const struct snapshot *pattern, struct error *err);
int cut_take(struct task *task, struct cut *cut, struct error *err);
int cut_insert(struct task *task, struct cut *cut, struct error *err);
void cut_discard(struct task *task, struct cut *cut);

/* Leaves the claims: always, at the end. */
void cut_done(struct cut *cut);
#define cleanup_cut CLEANUP(cut_done)

/* True when its snapshot is made aside, writable, to be moved and sealed. */
bool cut_has_place(const struct cut_member *member);

/* cut_copy.c: copies each member's tree to place_fd, together where that pays.  *slowest is the
 * one that took longest. */
int cut_copy(struct cut *cut, int64_t deadline_ms, const struct cut_member **slowest,
             struct error *err);

#endif
