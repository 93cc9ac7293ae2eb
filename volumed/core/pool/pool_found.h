/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pool says of itself, held against what lies in it: the rows of its own copy whose data is
 * there, and data that no row knows.  Looking only; adopting it is pool_adopt.c's.
 */
#ifndef CORE_POOL_FOUND_H
#define CORE_POOL_FOUND_H

#include "base/error.h"
#include "base/json.h"
#include "core/operation/task.h"
#include "driver/driver.h"
#include "model/pool_disk.h"
#include "model/volume.h"

/* How a volume or snapshot comes back. */
#define FOUND_ADOPTED "adopted" /* as it was */
#define FOUND_RENAMED "renamed" /* its name is another volume's */
#define FOUND_UNKNOWN "found"   /* data without a row: a volume under a name of our making */
#define FOUND_MISSING "missing" /* a row without data: left out */

struct found {
    struct pool pool; /* as it is to be; name and path may be the caller's */
    bool was_default;
    struct pool_disk disk; /* as it was recorded; path NULL where it was none */
    json_t *rows;   /* [{"t": table, "r": row}, …] in the order of insertion, without pool's */
    json_t *report; /* [{"kind", "name", "was", "id", "state"}, …] */
    const char **strays; /* trees of snapshots that no row knows: they become volumes */
    size_t stray_count;
    size_t stray_capacity;
    int64_t volume_count;
    int64_t snapshot_count;
};

void found_done(struct found *found);
#define cleanup_found CLEANUP(found_done)

/* Reads pool.json and the rows of the pool itself.  CONFLICT when 'fd' holds no pool of ours. */
int found_identify(struct task *task, int fd, struct found *found, struct error *err);

/* Reads all the rest.  Names are chosen so that none is taken in this database. */
int found_read(struct task *task, const struct driver_pool *open, struct found *found,
               struct error *err);

#endif
