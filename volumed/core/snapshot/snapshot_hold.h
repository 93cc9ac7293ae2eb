/* SPDX-License-Identifier: Apache-2.0 */
/* Holds: while a snapshot has one, nobody removes it, neither a person nor a policy. */
#ifndef CORE_SNAPSHOT_HOLD_H
#define CORE_SNAPSHOT_HOLD_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/policy.h"

#define HOLD_TAG "hold" /* where none is given */

/* kind "user", or "base" for replication; EXISTS: it is held by that tag. */
int snapshot_hold(struct task *task, const char *volume_ref, const char *name, const char *tag,
                  const char *kind, struct error *err);

/* tag NULL: all that people made.  NOT_FOUND: it is not held so. */
int snapshot_release(struct task *task, const char *volume_ref, const char *name, const char *tag,
                     struct error *err);
int snapshot_hold_list(struct task *task, const char *volume_ref, const char *name,
                       struct hold **list, struct error *err);

#endif
