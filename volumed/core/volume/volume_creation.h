/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A volume on its way from a spec into a row, step by step: what volume_create() is made of, for
 * verbs that make several at once.
 */
#ifndef CORE_VOLUME_CREATION_H
#define CORE_VOLUME_CREATION_H

#include "core/operation/claim.h"
#include "core/volume/volume.h"
#include "core/volume/volume_draft.h"

struct creation {
    struct volume_draft draft;
    struct volume source;     /* where from_volume is given */
    struct snapshot snapshot; /* where from_snapshot is given */
    enum cost cost;
    struct claim claim;
};

/* Checks and completes; nothing is made.  EXISTS, with all complete: there is a volume of that
 * name. */
int creation_plan(struct task *task, const struct volume_spec *spec, struct creation *creation,
                  struct error *err);

/* On disk, durable on return, without a row; enters the claim. */
int creation_build(struct task *task, struct creation *creation, struct error *err);

/* In a transaction: the row and its event.  EXISTS when the name was taken meanwhile. */
int creation_insert(struct task *task, const struct creation *creation, struct error *err);

/* Takes back what was built; idempotent. */
void creation_discard(struct task *task, const struct creation *creation);

/* Always, at the end. */
void creation_done(struct creation *creation);

#endif
