/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fence around a cut: everybody who could write to the volume stands still between
 * fence_raise() and fence_lower(), and the time that takes is measured.
 */
#ifndef CORE_FENCE_H
#define CORE_FENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/fence/stranger.h"
#include "core/operation/task.h"
#include "model/volume.h"
#include "mount/table.h"

#define FENCE_TIMEOUT_MS_DEFAULT 5000

struct view_rest; /* core/volume/volume_view.h */

struct fence_target {
    const struct volume *volume;
    int data_fd; /* its tree */
};

struct fence_lease {
    const char *who; /* "container 'web'" */
    bool is_groups;  /* of control groups of others, not of a container */
    void *lease;
};

struct fence {
    struct task *task;
    const struct fence_target *targets;
    size_t target_count;
    const char *kind;    /* "idle", "frozen", "partial": as in struct snapshot */
    int64_t deadline_ms; /* of CLOCK_MONOTONIC; 0 when nobody is held: take the time you need */
    struct fence_lease *leases;
    size_t count;
    size_t capacity;
    const char **known; /* containers that are held, or told of in 'unfenced'; NULL-terminated */
    struct strangers strangers; /* as found before */
    const char **unfenced;      /* who may write all the same, for people; NULL-terminated */
    int64_t raised_ns;
    struct view_rest *rests; /* fence_rest.c: one for each target */
};

/*
 * Syncs the volumes that are in use, then freezes, in one order for all callers, whoever may write
 * to any of them.  timeout_ms is for all of them and for the cut together; 0: the default.
 * 'targets' must live as long as the fence.  Errors: TIMEOUT naming the slow one, BUSY of a volume
 * that can be cut only while nobody has it mounted; then nobody is held any more.
 */
int fence_raise(struct task *task, const struct fence_target *targets, size_t count,
                int64_t timeout_ms, struct fence *fence, struct error *err);

/*
 * Lets everybody run again; *pause_ns is how long the first stood still.  TIMEOUT when a lease had
 * ended before: the cut was not fenced and must be thrown away.
 */
int fence_lower(struct fence *fence, int64_t *pause_ns, struct error *err);

/*
 * To be asked in the transaction that publishes what was cut under the fence: BUSY, naming it, when
 * a container that writes to one of the volumes was started meanwhile.
 */
int fence_check_whole(const struct fence *fence, struct error *err);

/*
 * fence_rest.c: of a volume whose driver can copy it only while nobody has it mounted.  BUSY,
 * saying who has; else its view is down until fence_wake_views().
 */
int fence_rest_views(struct fence *fence, const struct mount_table *table, struct error *err);
void fence_wake_views(struct fence *fence);

/* For CLEANUP: lowers what is still raised. */
void fence_cleanup(struct fence *fence);
#define cleanup_fence CLEANUP(fence_cleanup)

#endif
