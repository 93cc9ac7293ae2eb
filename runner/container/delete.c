/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what is left of a container: processes, groups, state; then its poststop hooks. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/sys.h"
#include "runner/cgroup/cgroup.h"
#include "runner/container/container.h"
#include "runner/container/hook.h"
#include "runner/container/state.h"

#define KILL_WAIT_MS 10000

static int end_processes(struct container *container, bool is_alive, struct error *err);
static int await_end(const struct container *container, struct error *err);
static void run_poststop(struct container *container);

int container_delete(struct container *container, bool is_forced, struct error *err)
{
    enum container_status status = container_status(container);
    bool is_alive = status != CONTAINER_STOPPED;

    if (!is_forced && (status == CONTAINER_RUNNING || status == CONTAINER_PAUSED))
        return fail(err, ERR_CONFLICT, "cannot delete container '%s' that is not stopped: %s",
                    container->id, container_status_name(status));
    if (end_processes(container, is_alive, err) < 0 || cgroup_remove(container->cgroup, err) < 0 ||
        state_remove(container->root, container->id, err) < 0)
        return -1;
    run_poststop(container);
    return 0;
}

/*
 * The end of init is the end of all in its PID namespace.  Without one of its own, or with init
 * gone before and others having joined, the groups tell who is left.
 */
static int end_processes(struct container *container, bool is_alive, struct error *err)
{
    int64_t flags = json_integer_value(json_object_get(container->state, "namespaces"));
    struct error ignored; /* what still lives is found when the groups are removed */

    if (is_alive || (flags & CLONE_NEWPID) == 0)
        (void)cgroup_kill(container->cgroup, SIGKILL, &ignored);
    if (!is_alive || container->pidfd < 0)
        return 0;
    (void)sys_pidfd_send_signal(container->pidfd, SIGKILL); /* gone already is as good */
    if (cgroup_is_frozen(container->cgroup))
        (void)cgroup_thaw(container->cgroup, &ignored); /* a frozen process of v1 does not die */
    return await_end(container, err);
}

static int await_end(const struct container *container, struct error *err)
{
    struct pollfd ended = { .fd = container->pidfd, .events = POLLIN };
    int64_t deadline_ms = clock_mono_ms() + KILL_WAIT_MS;
    int64_t left_ms;

    do {
        left_ms = deadline_ms - clock_mono_ms();
        if (left_ms <= 0)
            return fail(err, ERR_TIMEOUT, "init of '%s' does not end", container->id);
    } while (poll(&ended, 1, (int)left_ms) <= 0);
    return 0;
}

/* A failing one is told and changes nothing: the container is gone (runtime spec, "poststop"). */
static void run_poststop(struct container *container)
{
    cleanup_arena struct arena *mem = arena_new();
    const json_t *stored = json_object_get(container->state, "hooks");
    struct array hooks[HOOK_KINDS] = { 0 };
    struct error failure;

    if (json_array_size(json_object_get(stored, "poststop")) == 0)
        return;
    cleanup_json json_t *state = container_state_json(container, CONTAINER_STOPPED);
    if (hooks_read(mem, stored, hooks, &failure) < 0 ||
        hooks_run(hooks, HOOK_POSTSTOP, state, &failure) < 0)
        (void)fprintf(stderr, "runner: warning: %s\n", failure.message);
}
