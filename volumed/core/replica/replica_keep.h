/* SPDX-License-Identifier: Apache-2.0 */
/* What a refresh carries over from a replica's old data to its new. */
#ifndef CORE_REPLICA_KEEP_H
#define CORE_REPLICA_KEEP_H

#include <stdbool.h>

#include "base/error.h"
#include "core/operation/task.h"
#include "model/container.h"

/*
 * The attachment of the container on which 'path' lies and the path in its volume, relative; NULL
 * when it lies on none, or is the whole of one.
 */
const struct attachment *replica_keep_place(struct task *task, const struct container *container,
                                            const char *path, const char **inside);

/*
 * Replaces 'path' in the new tree by what the old one has there: blocks are shared where the
 * filesystem can, directories above that are missing are made as they were.  Where the old tree has
 * nothing the new one stays as it is.  No link is followed.  Not durable on return.
 */
struct replica_keep {
    int old_fd;
    int new_fd;
    const char *path;
    bool is_shared;
};

int replica_keep(struct task *task, const struct replica_keep *keep, struct error *err);

#endif
