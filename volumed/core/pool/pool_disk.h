/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool on a disk of its own: an image file behind a loop device, or a block device, with a
 * filesystem that we made, mounted on STATE/pools/<name>.  The mount is volatile: it is made when
 * the pool is opened and is not there, and stays when the daemon stops, since containers use it.
 */
#ifndef CORE_POOL_DISK_H
#define CORE_POOL_DISK_H

#include "base/error.h"
#include "base/json.h"
#include "core/operation/task.h"
#include "model/pool_disk.h"
#include "model/volume.h"

#define POOL_DISK_BTRFS_MIN ((int64_t)256 << 20) /* btrfs resizes nothing below that */

struct pool_disk_spec {
    const char *name;       /* of the pool */
    const char *filesystem; /* "btrfs", "xfs"; NULL or "auto": what serves best here */
    const char *image;      /* path of the file to make; NULL: STATE/disks/<id> */
    const char *device;     /* a block device instead of a file */
    int64_t size_bytes;     /* 0: a part of what the host has */
    int64_t max_bytes;      /* negative: as far as the host has room */
    bool is_forced;         /* overwrite what is on the device */
    bool is_default;        /* it becomes the default pool */
};

/*
 * Makes disk, filesystem, mount and pool.  NO_SPACE when the host cannot keep the promise of size
 * and max, CONFLICT when something is on the device.
 */
int pool_disk_create(struct task *task, const struct pool_disk_spec *spec, struct pool *pool,
                     struct error *err);

/* 1 and the row when the pool has a disk of its own, else 0. */
int pool_disk_find(struct task *task, const char *pool_id, struct pool_disk *disk,
                   struct error *err);

/*
 * Changes the size, while the pool is in use.  Up as the host has room; down on btrfs alone.  A
 * size above max raises that.
 */
int pool_disk_resize(struct task *task, const char *pool_ref, int64_t size_bytes,
                     struct error *err);

/* Removes an empty pool with its image; a device keeps what is on it. */
int pool_disk_remove(struct task *task, const struct pool *pool, const struct pool_disk *disk,
                     struct error *err);

/* The job: whatever runs full and may grow, grows. */
int pool_disk_grow_due(struct task *task, struct error *err);

/* --- for the operations on them --- */

/* Mounts it unless it is mounted. */
int pool_disk_up(struct task *task, const struct pool *pool, const struct pool_disk *disk,
                 struct error *err);

/* Unmounts it, and the loop device goes.  BUSY while somebody is in it.  Idempotent. */
int pool_disk_down(const struct pool *pool, struct error *err);

/*
 * Where a disk is mounted for a look, before it is known whose it is: STATE/pools/.look-<id>.  What
 * a crash left there is unmounted by _sweep, at start.
 */
const char *pool_disk_look_path(struct task *task, const char *id);
void pool_disk_look_sweep(struct task *task);

/*
 * Allocates the image from 'from_bytes' to 'to_bytes', in steps; sparse where the host's filesystem
 * cannot allocate.  Durable on return.
 */
int pool_disk_allocate(int fd, int64_t from_bytes, int64_t to_bytes, struct error *err);

/* Whether reads and writes go past the host's page cache; true for devices. */
bool pool_disk_is_direct(const struct pool_disk *disk);

/*
 * What of the host's filesystem that holds 'path' can still be promised: what is free, less a
 * reserve, less what other pools (not 'except_pool_id') may still grow by.  May be negative.
 */
int pool_disk_room(struct task *task, const char *path, const char *except_pool_id,
                   int64_t *room_bytes, struct error *err);

/* Disks in notes of operations and in a pool's own copy of its rows. */
json_t *pool_disk_to_json(const struct pool_disk *disk);
int pool_disk_from_json(struct task *task, const json_t *json, struct pool_disk *disk,
                        struct error *err);
json_t *pool_to_json(const struct pool *pool);
int pool_from_json(struct task *task, const json_t *json, struct pool *pool, struct error *err);

#endif
