/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts that wait for another writer to end.  Who waits comes before those that stand by.  A
 * waiting start holds a worker, so only so many wait at once.
 */
#ifndef CORE_LEASE_WAIT_H
#define CORE_LEASE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "core/operation/task.h"

struct lease_wait {
    struct list node;
    struct task *task;
    const char *container_id;
    int64_t until_ms;
    int bell_fd;
};

/*
 * True when the container's attachments allow to wait and a writer is in the way: then
 * lease_wait_end() must follow.
 */
bool lease_wait_begin(struct task *task, const char *container_id, struct lease_wait *wait);

/* Sleeps until something has happened; false when the time is up or we are to stop. */
bool lease_wait_next(struct lease_wait *wait);
void lease_wait_end(struct lease_wait *wait);

/* A start waits to write to the volume. */
bool lease_is_waited_for(struct task *task, const char *volume_id);

#endif
