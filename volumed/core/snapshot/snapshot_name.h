/* SPDX-License-Identifier: Apache-2.0 */
/* Names for snapshots that nobody named. */
#ifndef CORE_SNAPSHOT_NAME_H
#define CORE_SNAPSHOT_NAME_H

#include <stdbool.h>

#include "core/operation/task.h"

/*
 * A name that no snapshot of the volume has: 'prefix' and the present time, "20261124T080910Z";
 * with nanoseconds when there is one of this second.
 */
const char *snapshot_name_of_now(struct task *task, const char *volume_id, const char *prefix);

/* 'prefix' and a time, whether taken or not; with nanoseconds if is_precise. */
const char *snapshot_name_of_time(struct task *task, const char *prefix, int64_t time_ns,
                                  bool is_precise);

#endif
