/* SPDX-License-Identifier: Apache-2.0 */
/* Events of volumes and snapshots, in Docker's shape where Docker has one. */
#ifndef CORE_VOLUME_EVENT_H
#define CORE_VOLUME_EVENT_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/volume.h"

/* 'more' may be NULL; attributes beside the driver's. */
int volume_event(struct task *task, const char *action, const struct volume *volume,
                 const struct pairs *more, struct error *err);
int snapshot_event(struct task *task, const char *action, const struct snapshot *snapshot,
                   struct error *err);

#endif
