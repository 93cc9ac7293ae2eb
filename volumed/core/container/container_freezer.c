/* SPDX-License-Identifier: Apache-2.0 */
/* A lease is a connection: if we die, it closes, and the supervisor thaws. */
#include "core/container/container_freezer.h"

#include "base/log.h"
#include "base/sys.h"
#include "core/box/box.h"
#include "core/service.h"
#include "runtime/supervisor.h"

static int freeze(struct task *task, const char *container_id, int64_t timeout_ms, void **lease,
                  struct error *err);
static int thaw(struct task *task, void *lease, int64_t *pause_ns, struct error *err);

/* Of control groups. */
struct group_lease {
    const char *const *groups;
    int fd;
    bool is_frozen;
};

static int make_groups(struct task *task, const char *const *groups, void **lease,
                       struct error *err);
static int freeze_groups(struct task *task, void *lease, int64_t timeout_ms, struct error *err);
static int thaw_groups(struct task *task, void *lease, int64_t *pause_ns, struct error *err);
static void thaw_anew(struct task *task, const struct group_lease *lease);

const struct freezer container_freezer = {
    .freeze = freeze,
    .thaw = thaw,
    .make_groups = make_groups,
    .freeze_groups = freeze_groups,
    .thaw_groups = thaw_groups,
};

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

static int make_groups(struct task *task, const char *const *groups, void **lease,
                       struct error *err)
{
    int fd = supervisor_hold(task->service->runner_path, groups, err);

    if (fd < 0)
        return -1;
    struct group_lease *made = arena_alloc(task->mem, sizeof(*made));
    *made = (struct group_lease){ .groups = groups, .fd = fd };
    *lease = made;
    return 0;
}

static int freeze_groups(struct task *task, void *lease, int64_t timeout_ms, struct error *err)
{
    struct group_lease *held = lease;

    (void)task;
    if (supervisor_hold_freeze(held->fd, timeout_ms, err) < 0)
        return -1;
    held->is_frozen = true;
    return 0;
}

static int thaw_groups(struct task *task, void *lease, int64_t *pause_ns, struct error *err)
{
    struct group_lease *held = lease;

    if (!held->is_frozen) { /* the end of the connection is all it waits for */
        sys_close_fd(&held->fd);
        return 0;
    }
    if (supervisor_thaw(move_fd(&held->fd), pause_ns, err) == 0)
        return 0;
    if (err->code != ERR_TIMEOUT) /* it died: nobody else would ever thaw them */
        thaw_anew(task, held);
    return -1;
}

static void thaw_anew(struct task *task, const struct group_lease *lease)
{
    struct error err;
    cleanup_fd int fd = supervisor_hold(task->service->runner_path, lease->groups, &err);

    if (fd < 0 || supervisor_hold_release(fd, &err) < 0)
        log_error("control group may be frozen still group=%s error=\"%s\"", lease->groups[0],
                  err.message);
}
