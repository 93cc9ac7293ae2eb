/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How full pools are, and what is done about it.  Each pool has three watermarks, in percent of its
 * filesystem that is used: at 'warn' an event says so, at 'purge' whatever may go is given up, one
 * thing after another, until the pool is below it, and at 'refuse' there are no new snapshots and
 * clones.  What may go is told by the features that keep it, as rows of space_reliefs.
 */
#ifndef CORE_SPACE_H
#define CORE_SPACE_H

#include <stdint.h>

#include "base/error.h"
#include "core/operation/task.h"
#include "model/volume.h"

/* Something that keeps data which nobody needs today. */
struct space_relief {
    const char *name; /* for the log: "trash" */

    /*
     * Removes one thing of the pool for good, the one that will be missed least, with its own
     * events.  Returns 1 when something went, 0 when there is nothing (more) to give, or -1.
     */
    int (*give)(struct task *task, const struct pool *pool, struct error *err);
};

/* In the order in which they are asked; ends with NULL (core/pool/space_reliefs.c). */
extern const struct space_relief *const space_reliefs[];

/* 0 or more, at most 100; a mark of 100 never comes. */
struct space_marks {
    int64_t warn_percent;
    int64_t purge_percent;
    int64_t refuse_percent;
};

int space_marks_get(struct task *task, const char *pool_id, struct space_marks *marks,
                    struct error *err);

/* Members that are negative stay.  INVALID unless warn <= purge <= refuse <= 100. */
int space_marks_set(struct task *task, const char *pool_ref, const struct space_marks *marks,
                    struct error *err);

/*
 * To be asked before a snapshot or a clone is made in the pool: NO_SPACE, with the figures, when it
 * is past its last mark.  'what' is what will not be made: "snapshot 'a@b'".
 */
int space_check(struct task *task, const char *pool_id, const char *what, struct error *err);

/* The job: looks at every pool, tells what has changed, and purges. */
int space_tend(struct task *task, struct error *err);

/* When it should run, earlier than its rhythm has it: at once after a mark was moved.  0: not. */
int space_next(struct task *task, int64_t *due_ms, struct error *err);

#endif
