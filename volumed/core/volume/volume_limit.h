/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a volume may take: its options 'size' and 'inodes'.  The options are the truth; the
 * filesystem's limit is set anew on each tree that becomes the volume's (volume_data.c), and
 * reconcile holds the two against each other.
 */
#ifndef CORE_VOLUME_LIMIT_H
#define CORE_VOLUME_LIMIT_H

#include "base/error.h"
#include "core/operation/task.h"
#include "driver/driver.h"
#include "model/volume.h"

/* 0: not limited. */
struct volume_limit {
    int64_t size_bytes;
    int64_t inodes;
};

/* INVALID; "none" and an absent option are no limit. */
int volume_limit_read(const struct pairs *options, struct volume_limit *limit, struct error *err);
bool volume_limit_is_given(const struct volume_limit *limit);

/*
 * What the driver is to hold the volume's tree 'data_id' to, that is about to be made.  Takes a
 * project number for it where the driver needs one.  UNSUPPORTED, with what would help, when the
 * pool cannot hold anybody to it.  Not in a transaction.
 */
int volume_limit_plan(struct task *task, const struct driver_pool *pool,
                      const struct volume *volume, struct driver_limit *limit, struct error *err);

/* The same, on a tree of that name that is there and empty. */
int volume_limit_apply(struct task *task, const struct driver_pool *pool,
                       const struct volume *volume, int dirfd, struct error *err);

#endif
