/* SPDX-License-Identifier: Apache-2.0 */
/* Finding containers, and what can be told of one from its row alone. */
#include "core/container/container.h"

#include "core/attachment/attachment.h"
#include "core/box/box.h"
#include "core/box/health.h"
#include "store/container.h"

int container_get(struct task *task, const char *ref, struct container *container,
                  struct error *err)
{
    const char *id;
    struct container found = { 0 };

    if (container_resolve(task, ref, &id, err) < 0)
        return -1;
    int count = store_container_find(task->db, task->mem, id, &found, err);
    if (count < 0)
        return -1;
    if (count == 0)
        return fail(err, ERR_NOT_FOUND, "No such container: %s", ref);
    if (attachment_list(task, id, &found.attachments, &found.attachment_count, err) < 0) {
        container_done(&found);
        return -1;
    }
    health_read(task, id, &found.health);
    *container = found;
    return 0;
}

int container_resolve(struct task *task, const char *ref, const char **id, struct error *err)
{
    int count = store_container_find_id(task->db, task->mem, ref, id, err);

    if (count < 0)
        return -1;
    if (count == 0)
        return fail(err, ERR_NOT_FOUND, "No such container: %s", ref);
    if (count > 1)
        return fail(err, ERR_INVALID, "Multiple IDs found with provided prefix: %s", ref);
    return 0;
}

const char *container_log_path(struct task *task, const char *id)
{
    return arena_printf(task->mem, "%s/container.log", box_path(task, id));
}
