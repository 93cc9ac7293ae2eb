/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A golden state: the set, or the one snapshot, that replicas begin with.  It is held by each group
 * that refers to it, so that nobody removes it and no policy lets it expire.
 */
#ifndef CORE_GOLDEN_H
#define CORE_GOLDEN_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/volume.h"

struct golden {
    const char *id;   /* the set's, or VOLUME-ID@SNAPSHOT-ID */
    const char *name; /* as people say it */
    struct snapshot *members;
    size_t count;
};

/* 'ref' is a set's name or id, or VOLUME@SNAPSHOT.  CONFLICT: a member of the set is gone. */
int golden_find(struct task *task, const char *ref, struct golden *golden, struct error *err);

/* The snapshot of that volume in it, or NULL. */
const struct snapshot *golden_of_volume(const struct golden *golden, const char *volume_id);

/* In a transaction: holds all members for the group; what it holds already stays so. */
int golden_hold(struct task *task, const char *group, const struct golden *golden,
                struct error *err);

/* In a transaction: lets go of what neither the group nor one of its replicas refers to any more.
 */
int golden_release_unused(struct task *task, const char *group, struct error *err);

#endif
