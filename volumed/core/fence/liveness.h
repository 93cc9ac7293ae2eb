/* SPDX-License-Identifier: Apache-2.0 */
/* Who has a volume mounted at this moment: the kernel's answer, with our containers' names on it.
 */
#ifndef CORE_LIVENESS_H
#define CORE_LIVENESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "core/operation/task.h"
#include "model/volume.h"
#include "mount/table.h"

struct live_user {
    const char *container_id; /* NULL: not a container of ours */
    const char *container_name;
    ino_t namespace; /* the mount namespace */
    pid_t pid;       /* of one process that has it */
    const char *target;
    bool is_read_only;
};

/*
 * All mounts of the volume, in every namespace, by the given table (several volumes may share one
 * reading).  Returns the count.
 */
int liveness_find(struct task *task, const struct mount_table *table, const struct volume *volume,
                  struct live_user **users, struct error *err);

/* As above with a table read now; BUSY, naming the first user, when there is any. */
int liveness_check_idle(struct task *task, const struct volume *volume, struct error *err);
int liveness_check_idle_in(struct task *task, const struct mount_table *table,
                           const struct volume *volume, struct error *err);

/* "process 12 (postgres)". */
const char *liveness_process(struct task *task, pid_t pid);

#endif
