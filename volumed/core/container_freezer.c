/* SPDX-License-Identifier: Apache-2.0 */
/* A lease is a connection: if we die, it closes, and the supervisor thaws. */
#include "core/container_freezer.h"

#include "base/sys.h"
#include "core/box.h"
#include "runtime/supervisor.h"

static int freeze(struct task *task, const char *container_id, int64_t timeout_ms, void **lease,
                  struct error *err);
static int thaw(struct task *task, void *lease, int64_t *pause_ns, struct error *err);

const struct freezer container_freezer = { .freeze = freeze, .thaw = thaw };

static int freeze(struct task *task, const char *container_id, int64_t timeout_ms, void **lease,
                  struct error *err)
{
    cleanup_fd int box_fd = box_open(task, container_id, err);
    int fd = box_fd < 0 ? -1 : supervisor_freeze(box_fd, timeout_ms, err);

    if (fd < 0) {
        if (err->code == ERR_CONFLICT) /* no supervisor: it has ended */
            err->code = ERR_NOT_FOUND;
        return -1;
    }
    int *kept = arena_alloc(task->mem, sizeof(*kept));
    *kept = fd;
    *lease = kept;
    return 0;
}

static int thaw(struct task *task, void *lease, int64_t *pause_ns, struct error *err)
{
    int *kept = lease;

    (void)task;
    return supervisor_thaw(move_fd(kept), pause_ns, err);
}
