/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs on snapshots: cut, list, remove, roll back.  Clones are volume_create() with a source.
 */
#ifndef CORE_SNAPSHOT_H
#define CORE_SNAPSHOT_H

#include "base/error.h"
#include "core/operation/task.h"
#include "core/snapshot/hook.h"
#include "model/filter.h"
#include "model/volume.h"

struct snapshot_spec {
    const char *name;   /* NULL: the time of the cut, "20261124T080910Z" */
    const char *reason; /* NULL: "user" */
    struct pairs labels;
    int64_t freeze_timeout_ms; /* 0: the default, 5000 */
    struct hook_spec hooks;
};

/*
 * Cuts a volume.  In use: syncs, freezes the containers that have it mounted (lease with a
 * deadline), cuts, thaws; the measured pause is in snapshot->pause_ns.  Past the deadline: thawed,
 * nothing left, TIMEOUT names the slow container.  Durable on return.
 */
int snapshot_create(struct task *task, const char *volume_ref, const struct snapshot_spec *spec,
                    struct snapshot *snapshot, struct error *err);
int snapshot_get(struct task *task, const char *volume_ref, const char *name,
                 struct snapshot *snapshot, struct error *err);

/* Of one volume, or of all (volume_ref NULL); oldest first. */
int snapshot_list(struct task *task, const char *volume_ref, struct snapshot **list,
                  struct error *err);

struct snapshot_remove_spec {
    bool is_dry_run;
    bool is_now; /* past the trash */
};

/* To the trash (core/volume/trash.h), unless 'is_now'. */
int snapshot_remove(struct task *task, const char *volume_ref, const char *name,
                    const struct snapshot_remove_spec *spec, struct error *err);

/*
 * Puts the volume's contents back to the snapshot's.  The present contents become a snapshot of
 * reason "safety", returned in *safety.  BUSY while anything has the volume mounted, naming who;
 * CONFLICT when it is protected.  Crash-safe at each step.  With is_dry_run only the checks are
 * made and *safety is left alone.
 */
int snapshot_rollback(struct task *task, const char *volume_ref, const char *name, bool is_dry_run,
                      struct snapshot *safety, struct error *err);

#endif
