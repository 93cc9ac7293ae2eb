/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scaling: N replicas of a container, NAME-1 to NAME-N, each made by the container's options and on
 * its own copy-on-write clones of a golden state's volumes.  A scaling is a row and a thread that
 * takes it on, one replica after the other:
 *
 *   those above N go, the highest first: container removed, volumes to the trash
 *   with refresh, those that are there get new clones, and the paths in 'keep' from their old ones
 *   those that are missing are made
 *
 * The rule: a replica is whole or absent.  What a crash interrupts is gone on with at the next
 * start. A replica that cannot be made is taken away again, one that cannot be refreshed has its
 * old data back; the scaling then ends 'failed' and names it, those that were finished before stay,
 * and the rest is as it was.  To give the same order again makes what is missing.
 */
#ifndef CORE_SCALE_H
#define CORE_SCALE_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/replica.h"

#define REPLICAS_MAX 500

struct scale_request {
    const char *container;
    int64_t replicas;
    const char *from; /* a set, or VOLUME@SNAPSHOT; NULL: what the group has */
    const char *size; /* limit of each clone; NULL: what the group has, or the template's own */
    bool is_refresh;
    const char *const *keep; /* paths in the container, NULL-terminated; NULL: none */
    bool is_dry_run;
};

/*
 * Checks all that can be checked, makes the row, holds the golden state and hands it to a thread.
 * The report lists the names that it will add, remove and refresh.  BUSY: another is under way.
 * CONFLICT: the container has a volume that is not in the golden state and could not be shared.
 * With is_dry_run nothing is made but the answer.
 */
int scale_begin(struct task *task, const struct scale_request *request, struct scaling *scaling,
                struct error *err);

int scale_get(struct task *task, const char *id, struct scaling *scaling, struct error *err);

/* A container's group and its replicas by number.  NOT_FOUND when it has none. */
int scale_list(struct task *task, const char *container, struct replica_group *group,
               struct replica **list, struct error *err);

/* Takes on what an earlier process left, each in a thread.  At start, when containers are known. */
int scale_resume_all(struct task *task, struct error *err);

#endif
