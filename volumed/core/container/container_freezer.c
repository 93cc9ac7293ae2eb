/* SPDX-License-Identifier: Apache-2.0 */
/* A lease is a connection: if we die, it closes, and the supervisor thaws. */
#include "core/container/container_freezer.h"

#include "base/log.h"
#include "base/sys.h"
#include "core/box/box.h"
#include "core/fence/hold_note.h"
#include "core/service.h"
#include "runtime/supervisor.h"

static int freeze(struct task *task, const char *container_id, int64_t timeout_ms, void **lease,
                  struct error *err);
static int thaw(struct task *task, void *lease, int64_t *pause_ns, struct error *err);

/* Of control groups. */
struct group_lease {
    const char *note;
    int fd;
    bool is_frozen;
};

static int make_groups(struct task *task, const char *const *groups, void **lease,
                       struct error *err);
static int freeze_groups(struct task *task, void *lease, int64_t timeout_ms, struct error *err);
static int thaw_groups(struct task *task, void *lease, int64_t *pause_ns, struct error *err);

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
    const char *note = NULL;
    cleanup_fd int note_fd = hold_note_open(task, &note, err);
    int fd = note_fd < 0 ? -1 : supervisor_hold(task->service->runner_path, groups, note_fd, err);

    if (fd < 0) {
        if (note != NULL)
            hold_note_remove(task, note);
        return -1;
    }
    struct group_lease *made = arena_alloc(task->mem, sizeof(*made));
    *made = (struct group_lease){ .note = note, .fd = fd };
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

/* A holder that died, or was told that we are gone: the note knows whether anything stands still.
 */
static int thaw_groups(struct task *task, void *lease, int64_t *pause_ns, struct error *err)
{
    struct group_lease *held = lease;
    int rc = 0;

    if (!held->is_frozen)
        sys_close_fd(&held->fd);
    else
        rc = supervisor_thaw(move_fd(&held->fd), pause_ns, err);
    if (held->is_frozen && rc == 0)
        hold_note_remove(task, held->note);
    else
        hold_note_settle(task, held->note);
    return rc;
}
