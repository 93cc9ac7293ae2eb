/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A volume's data on disk: made, filled, opened, thrown away.  Knows pools and drivers, and no
 * rows: who may do what is for the verbs that call this.
 */
#ifndef CORE_VOLUME_DATA_H
#define CORE_VOLUME_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "core/operation/claim.h"
#include "core/operation/task.h"
#include "driver/driver.h"
#include "model/volume.h"

/* What the options of a volume to be made say about its data. */
struct volume_shape {
    int64_t uid; /* -1: not given; likewise gid and mode */
    int64_t gid;
    int64_t mode;
    bool is_nocow;
};

/* True for volumes of Docker's options type, device and o. */
bool volume_is_foreign(const struct volume *volume);

/* The driver that handles the volume's tree: the pool's, or foreign. */
const struct driver *volume_driver(const struct driver_pool *pool, const struct volume *volume);

/*
 * Finds the volume an empty tree: sets volume->data_id.  Durable on return.  'claim' (zero) is
 * entered for it and is the caller's to leave when the row is there or the tree is discarded.
 */
int volume_data_create(struct task *task, struct volume *volume, const struct volume_shape *shape,
                       struct claim *claim, struct error *err);

/*
 * Makes the volume's tree a copy of 'source_fd', which lies in 'source_pool' (perhaps another than
 * the volume's).  Durable on return.  UNSUPPORTED where the driver cannot.
 */
int volume_data_clone(struct task *task, const struct volume *volume, int source_fd,
                      const struct driver_pool *source_pool, int64_t deadline_ms,
                      struct error *err);

/* What volume_data_clone costs from there. */
enum cost volume_data_cost(const struct driver_pool *pool, const struct driver_pool *source_pool);

/* True when owner or mode are given. */
bool volume_shape_is_given(const struct volume_shape *shape);

/* Sets what the shape gives on a tree that is there.  Durable on return. */
int volume_data_shape(const struct driver_pool *pool, const char *data_id,
                      const struct volume_shape *shape, struct error *err);

/*
 * Fills an empty tree of the volume's driver, built aside and moved to volumes/<data_id>, from
 * 'source_fd', a tree of any filesystem (an image's).  Durable on return.
 */
int volume_data_fill(struct task *task, const struct volume *volume, int source_fd,
                     struct error *err);

/*
 * Removes whatever bears this UUID in the pool: volumes, snapshots, trash, tmp.  Failure leaves
 * garbage for reconcile; it is logged there, so there is nothing to return.
 */
void volume_data_discard(struct task *task, const char *pool_id, const char *data_id);

/*
 * A readable directory of the contents.  A foreign filesystem is not mounted for it; a stack of
 * layers is, for a volume on its view, for a snapshot where nobody else sees it.
 */
int volume_data_open(const struct driver_pool *pool, const struct volume *volume,
                     struct error *err);
int snapshot_data_open(const struct driver_pool *pool, const struct snapshot *snapshot,
                       struct error *err);

/* As above, where it can be attached to containers. */
int snapshot_view_open(const struct driver_pool *pool, const struct snapshot *snapshot,
                       struct error *err);

/*
 * What a driver copies from, and volume_data_clone() with it: the tree's own directory, if the copy
 * goes to 'target', else the contents.  Of a volume only under a fence.
 */
int volume_source_open(const struct driver_pool *pool, const struct volume *volume,
                       const char *target_pool_id, struct error *err);
int snapshot_source_open(const struct driver_pool *pool, const struct snapshot *snapshot,
                         const char *target_pool_id, struct error *err);

#endif
