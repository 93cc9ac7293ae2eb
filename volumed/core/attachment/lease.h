/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases: who may write to a volume at present.  The rule is the volume's (shared, single-writer,
 * exclusive, read-only) and the attachments' (exclusive, standby); a lease is given in the
 * transaction that starts a container, and ends in the one that records its end.
 *
 *               start                       fence
 *   (none) ──────────────▶ writer ◀──┐ ──────────────▶ fenced
 *      │  another writes,            │ promote             │
 *      └─ and it stands by ▶ standby ┘ ◀───────────────────┘ where succession is 'fenced'
 *
 * A standby and a fenced container have the volume mounted read-only.  Each new writer and each
 * fence has an epoch of its own, which grows with the volume.
 */
#ifndef CORE_LEASE_H
#define CORE_LEASE_H

#include <stdbool.h>

#include "base/error.h"
#include "core/operation/task.h"
#include "model/attachment.h"
#include "model/lease.h"
#include "model/volume.h"

/*
 * In the transaction that starts a container, for each of its attachments.  CONFLICT, naming who
 * writes, where the rule does not allow it beside them.
 */
int lease_take(struct task *task, const struct attachment *attachment, struct error *err);

/* What lease_take would say, without taking it. */
int lease_test(struct task *task, const struct attachment *attachment, struct error *err);

/* In the transaction that records a container's end, or the end of its last attachment to it. */
int lease_end(struct task *task, const char *container_id, struct error *err);

/*
 * After a writer's end: lets the next one write, as the volume's succession says, unless somebody
 * waits to start.  What fails is logged; reconcile does it again.
 */
void lease_succeed(struct task *task, const char *volume_id);

/* The same for all volumes that a container has attached; and for all that wait for a successor. */
void lease_succeed_after(struct task *task, const char *container_id);
int lease_tend(struct task *task, struct error *err);

/* In the transaction that hands the volume to another engine, whose use counts as writing. */
int lease_check_engine(struct task *task, const struct volume *volume, const char *caller_id,
                       struct error *err);

/* --- verbs --- */

/* CONFLICT, naming who, when the present users break the rule.  succession NULL: as it is. */
int volume_set_access(struct task *task, const char *ref, const char *access,
                      const char *succession, struct error *err);

struct fence_spec {
    const char *container; /* NULL: everybody who can write */
    const char *how;       /* "read-only", "stop", or "auto": read-only where it can be done */
};

/* What became of each; *count may be 0. */
struct fenced {
    const char *container_id;
    const char *container_name;
    bool is_stopped; /* else it has the volume read-only */
    int64_t epoch;
};

/*
 * Takes the right to write from running containers.  BUSY, naming the process that has a file open
 * for writing, where they were to be left running and cannot be made read-only.
 */
int volume_fence(struct task *task, const char *ref, const struct fence_spec *spec,
                 struct fenced **list, size_t *count, struct error *err);

int lease_list(struct task *task, const char *ref, struct volume_rule *rule, struct lease **list,
               size_t *count, struct error *err);

#endif
