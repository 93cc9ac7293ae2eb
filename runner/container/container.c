/* SPDX-License-Identifier: Apache-2.0 */
/* The handle: opening it, asking the kernel through it, closing it.  Making and removing are other
 * files'. */
#include "runner/container/container.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/json.h"
#include "base/sys.h"
#include "runner/cgroup/cgroup.h"
#include "runner/container/container_state.h"
#include "runner/container/state.h"
#include "runner/spec/spec.h"

static int load(struct arena *mem, struct container *container, struct error *err);
static bool is_alive(const struct container *container);

static const char *const status_names[] = {
    [CONTAINER_CREATING] = "creating", [CONTAINER_CREATED] = "created",
    [CONTAINER_RUNNING] = "running",   [CONTAINER_PAUSED] = "paused",
    [CONTAINER_STOPPED] = "stopped",
};

int container_open(struct arena *mem, const char *root, const char *id,
                   struct container **container, struct error *err)
{
    struct container *opened = container_new(mem, root, id);

    opened->state_fd = state_open(root, id, err);
    if (opened->state_fd < 0)
        return -1;
    if (load(mem, opened, err) < 0) {
        container_close(opened);
        return error_prefix(err, "state of container '%s'", id);
    }
    *container = opened;
    return 0;
}

struct container *container_new(struct arena *mem, const char *root, const char *id)
{
    struct container *container = arena_alloc(mem, sizeof(*container));

    *container = (struct container){
        .id = arena_strdup(mem, id),
        .root = arena_strdup(mem, root),
        .state_fd = -1,
        .pidfd = -1,
        .console_fd = -1,
        .notify_fd = -1,
    };
    return container;
}

void container_close(struct container *container)
{
    if (container == NULL)
        return;
    sys_close_fd(&container->state_fd);
    sys_close_fd(&container->pidfd);
    sys_close_fd(&container->console_fd);
    sys_close_fd(&container->notify_fd);
    json_decref(container->state);
    container->state = NULL;
}

void container_cleanup(struct container **container)
{
    container_close(*container);
}

enum container_status container_status(const struct container *container)
{
    if (container->pid == 0)
        return CONTAINER_CREATING;
    if (!is_alive(container))
        return CONTAINER_STOPPED;
    if (state_has_fifo(container->state_fd))
        return CONTAINER_CREATED;
    return cgroup_is_frozen(container->cgroup) ? CONTAINER_PAUSED : CONTAINER_RUNNING;
}

const char *container_status_name(enum container_status status)
{
    return status_names[status];
}

int container_kill(const struct container *container, int signal_number, struct error *err)
{
    int rc = is_alive(container) ? sys_pidfd_send_signal(container->pidfd, signal_number) : -ESRCH;

    if (rc == -ESRCH)
        return fail(err, ERR_CONFLICT, "container not running");
    return rc < 0 ? fail_sys(err, rc, "cannot signal container '%s'", container->id) : 0;
}

int container_kill_all(const struct container *container, int signal_number, struct error *err)
{
    return cgroup_kill(container->cgroup, signal_number, err);
}

int container_freeze(const struct container *container, int64_t timeout_ms, struct error *err)
{
    enum container_status status = container_status(container);

    if (status != CONTAINER_RUNNING && status != CONTAINER_CREATED)
        return fail(err, ERR_CONFLICT, "container not running");
    return cgroup_freeze(container->cgroup, timeout_ms, err);
}

int container_thaw(const struct container *container, struct error *err)
{
    return cgroup_thaw(container->cgroup, err);
}

int container_pids(struct arena *mem, const struct container *container, pid_t **pids,
                   size_t *count, struct error *err)
{
    return cgroup_pids(mem, container->cgroup, pids, count, err);
}

int container_update(const struct container *container, const json_t *resources, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    struct resources read = { 0 };

    if (resources_read(mem, resources, &read, err) < 0)
        return -1;
    if (cgroup_apply(container->cgroup, &read, err) < 0)
        return -1;
    return read.devices.count == 0 ? 0
                                   : cgroup_devices_apply(container->cgroup, &read.devices, err);
}

json_t *container_stats(const struct container *container, struct error *err)
{
    (void)err; /* what cannot be read is 0 */
    return cgroup_stats(container->cgroup);
}

int container_oom_open(const struct container *container, struct error *err)
{
    return cgroup_oom_open(container->cgroup, err);
}

int64_t container_oom_kills(const struct container *container)
{
    return cgroup_oom_kills(container->cgroup);
}

/* Without a state it is being made, or its making was cut off: there is only the id. */
static int load(struct arena *mem, struct container *container, struct error *err)
{
    container->state = state_read(mem, container->state_fd, err);
    if (container->state == NULL)
        return err->code == ERR_NOT_FOUND ? cgroup_load(mem, NULL, &container->cgroup, err) : -1;
    if (container_state_restore(mem, container, err) < 0)
        return -1;
    /* The descriptor first: what its number is checked against is then the same process. */
    container->pidfd = sys_pidfd_open(container->pid);
    if (container->pidfd >= 0 && process_start_ticks(container->pid) != container->start_ticks)
        sys_close_fd(&container->pidfd);
    return 0;
}

/* A pidfd is readable once its process has ended, also while it is not yet reaped. */
static bool is_alive(const struct container *container)
{
    struct pollfd poll_fd = { .fd = container->pidfd, .events = POLLIN };

    return container->pidfd >= 0 && poll(&poll_fd, 1, 0) == 0;
}
