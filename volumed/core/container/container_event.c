/* SPDX-License-Identifier: Apache-2.0 */
/* What an event of a container tells. */
#include "core/container/container_event.h"

#include "core/operation/event.h"

int container_emit(struct task *task, const struct container *container, const char *action,
                   const struct pairs *extra, struct error *err)
{
    struct pairs attributes = { 0 };

    if (pairs_from_json(&attributes, task->mem, json_object_get(container->config, "Labels"), err) <
        0)
        return -1;
    pairs_set(&attributes, task->mem, "image", container->image_name);
    pairs_set(&attributes, task->mem, "name", container->name);
    for (size_t i = 0; extra != NULL && i < extra->count; i++)
        pairs_set(&attributes, task->mem, extra->items[i].key, extra->items[i].value);
    return event_emit(task, "container", action, container->id, &attributes, err);
}

int container_emit_with(struct task *task, const struct container *container, const char *action,
                        const char *key, const char *value, struct error *err)
{
    struct pairs extra = { 0 };

    pairs_set(&extra, task->mem, key, value);
    return container_emit(task, container, action, &extra, err);
}
