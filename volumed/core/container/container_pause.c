/* SPDX-License-Identifier: Apache-2.0 */
/* Pausing and going on: the supervisor freezes, the row says so. */
#include <string.h>

#include "core/box/box_control.h"
#include "core/container/container.h"
#include "core/container/container_event.h"
#include "core/operation/event.h"
#include "core/service.h"
#include "store/container.h"

static int set_state(struct task *task, const char *id, const char *from, const char *to,
                     struct error *err);

int container_pause(struct task *task, const char *ref, struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (container_get(task, ref, &container, err) < 0)
        return -1;
    if (strcmp(container.state, "paused") == 0)
        return fail(err, ERR_CONFLICT, "Container %s is already paused", container.id);
    if (strcmp(container.state, "running") != 0)
        return fail(err, ERR_CONFLICT, "Container %s is not running", container.id);
    if (box_ask(task, container.id, "pause", NULL, err) < 0)
        return error_prefix(err, "Cannot pause container %s", container.id);
    return set_state(task, container.id, "running", "paused", err);
}

int container_unpause(struct task *task, const char *ref, struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (container_get(task, ref, &container, err) < 0)
        return -1;
    if (strcmp(container.state, "paused") != 0)
        return fail(err, ERR_CONFLICT, "Container %s is not paused", container.id);
    if (box_ask(task, container.id, "resume", NULL, err) < 0)
        return error_prefix(err, "Cannot unpause container %s", container.id);
    return set_state(task, container.id, "paused", "running", err);
}

int container_resize(struct task *task, const char *ref, int rows, int columns, struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (container_get(task, ref, &container, err) < 0)
        return -1;
    if (!container_is_live(&container))
        return fail(err, ERR_CONFLICT, "Container %s is not running", ref);
    return box_ask(task, container.id, arena_printf(task->mem, "resize %d %d", rows, columns), NULL,
                   err);
}

/* It may have ended meanwhile: then that is what the row says. */
static int set_state(struct task *task, const char *id, const char *from, const char *to,
                     struct error *err)
{
    cleanup_container struct container now = { 0 };
    cleanup_tx struct tx tx = { 0 };

    if (tx_begin(&tx, task->db, err) < 0)
        return -1;
    int count = store_container_find(task->db, task->mem, id, &now, err);
    if (count < 0)
        return -1;
    if (count == 0 || strcmp(now.state, from) != 0)
        return 0;
    now.state = to;
    if (store_container_update(task->db, &now, err) < 0 ||
        container_emit(task, &now, strcmp(to, "paused") == 0 ? "pause" : "unpause", NULL, err) <
            0 ||
        tx_commit(&tx, err) < 0)
        return -1;
    event_bell_ring(task->service->bell);
    return 0;
}
