/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Letting init go on.  It waits in opening exec.fifo for writing; we open it for reading, which
 * wakes it, and listen until it is closed by the execution of the program, or brings an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/json.h"
#include "base/sys.h"
#include "runner/container/container.h"
#include "runner/container/hook.h"
#include "runner/container/message.h"
#include "runner/container/notify.h"
#include "runner/container/state.h"

static int await_program(const struct container *container, int fifo_fd, struct error *err);
static int run_poststart(struct container *container, struct error *err);

int container_start(struct container *container, struct error *err)
{
    enum container_status status = container_status(container);

    if (status == CONTAINER_STOPPED)
        return fail(err, ERR_CONFLICT, "cannot start a container that has stopped");
    if (status != CONTAINER_CREATED)
        return fail(err, ERR_CONFLICT, "cannot start a container in the %s state",
                    container_status_name(status));
    cleanup_fd int notify_fd = -1;
    if (notify_open(container->state_fd, &notify_fd, err) < 0)
        return -1;
    cleanup_fd int fifo_fd =
        sys_openat(container->state_fd, STATE_FIFO, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
    if (fifo_fd < 0)
        return fail_sys(err, fifo_fd, "cannot open the exec fifo of '%s'", container->id);
    int rc = await_program(container, fifo_fd, err);
    (void)sys_unlinkat(container->state_fd, STATE_FIFO,
                       0); /* a second start may have been faster */
    if (rc < 0 || run_poststart(container, err) < 0)
        return -1;
    if (notify_fd >= 0)
        notify_await_ready(notify_fd, container->pidfd, container->pid);
    return 0;
}

/*
 * A FIFO that no writer has opened yet reads as ended, but does not poll as hung up: so poll first.
 * The fifo counts before the pidfd: a failing init writes, then ends.
 */
static int await_program(const struct container *container, int fifo_fd, struct error *err)
{
    struct pollfd polls[] = {
        { .fd = fifo_fd, .events = POLLIN },
        { .fd = container->pidfd, .events = POLLIN },
    };

    do {
        if (poll(polls, ARRAY_SIZE(polls), -1) < 0 && errno != EINTR)
            return fail_sys(err, -errno, "cannot wait for '%s'", container->id);
    } while (polls[0].revents == 0 && polls[1].revents == 0);
    if (polls[0].revents == 0)
        return fail(err, ERR_SYSTEM, "init of '%s' ended before it was started", container->id);
    return message_await_end(fifo_fd, err);
}

/* A container whose poststart hook fails is not to be used (runtime spec, "poststart"). */
static int run_poststart(struct container *container, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    struct array hooks[HOOK_KINDS] = { 0 };
    const json_t *stored = json_object_get(container->state, "hooks");
    struct error ignored; /* the first error is the one to tell */

    if (json_array_size(json_object_get(stored, "poststart")) == 0)
        return 0;
    cleanup_json json_t *state = container_state_json(container, CONTAINER_RUNNING);
    if (hooks_read(mem, stored, hooks, err) == 0 &&
        hooks_run(hooks, HOOK_POSTSTART, state, err) == 0)
        return 0;
    (void)container_kill(container, SIGKILL, &ignored);
    return -1;
}
