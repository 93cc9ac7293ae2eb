/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's volume events name the volume and its driver; snapshots are named VOLUME@SNAPSHOT. */
#include "core/volume/volume_event.h"

#include "core/operation/event.h"

int volume_event(struct task *task, const char *action, const struct volume *volume,
                 const struct pairs *more, struct error *err)
{
    struct pairs attributes = { 0 };

    pairs_set(&attributes, task->mem, "driver", volume->driver);
    for (size_t i = 0; more != NULL && i < more->count; i++)
        pairs_set(&attributes, task->mem, more->items[i].key, more->items[i].value);
    return event_emit(task, "volume", action, volume->name, &attributes, err);
}

int snapshot_event(struct task *task, const char *action, const struct snapshot *snapshot,
                   struct error *err)
{
    struct pair items[] = {
        { "volume", snapshot->volume_name },
        { "name", snapshot->name },
        { "reason", snapshot->reason },
        { "fence", snapshot->fence },
    };

    return event_emit(task, "snapshot", action,
                      arena_printf(task->mem, "%s@%s", snapshot->volume_name, snapshot->name),
                      &(struct pairs){ ARRAY_SIZE(items), items }, err);
}
