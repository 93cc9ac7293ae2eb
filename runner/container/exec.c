/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A further process in a container: cloned into init's namespaces and groups (launch.c), then the
 * same steps as init's from standing in the root to being the program (init.c).
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/json.h"
#include "base/sys.h"
#include "runner/cgroup/cgroup.h"
#include "runner/container/container.h"
#include "runner/container/init.h"
#include "runner/container/launch.h"
#include "runner/container/message.h"
#include "runner/process/affinity.h"
#include "runner/process/oom.h"
#include "runner/process/pid_file.h"
#include "runner/process/preserve.h"
#include "runner/process/rlimit.h"
#include "runner/process/stream_owner.h"

struct joining {
    const struct container *container;
    const struct exec_options *options;
    struct init init;
    struct launched launched;
    int sync_fd; /* our end */
    int console_fd;
};

static int check_status(const struct joining *joining, struct error *err);
static int join(struct joining *joining, struct error *err);
static int join_launch(struct joining *joining, struct error *err);
static const char *affinity_of(const struct process *process, const char *when);
static int join_await_ready(struct joining *joining, struct error *err);
static int take_message(struct joining *joining, const struct message *message, int *fd,
                        struct error *err);

int container_exec(const struct container *container, const struct exec_options *options,
                   const struct process *process, struct exec *exec, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    struct joining joining = {
        .container = container,
        .options = options,
        .launched = { .pidfd = -1 },
        .sync_fd = -1,
        .console_fd = -1,
        .init = { .mem = mem,
                  .id = container->id,
                  .process = process,
                  .personality = json_object_get(container->state, "personality"),
                  .stdio = { options->stdio[0], options->stdio[1], options->stdio[2] },
                  .preserve_fds = options->preserve_fds,
                  .without_keyring = true,
                  .is_held = options->is_held,
                  .sync_fd = -1,
                  .fifo_fd = -1,
                  .root_fd = -1,
                  .filter = { .listener_socket = -1 } },
    };

    int rc = join(&joining, err);
    sys_close_fd(&joining.init.sync_fd);
    sys_close_fd(&joining.init.filter.listener_socket);
    if (rc < 0) {
        launch_abort(&joining.launched);
        sys_close_fd(&joining.sync_fd);
        sys_close_fd(&joining.console_fd);
        return -1;
    }
    if (!options->is_held)
        sys_close_fd(&joining.sync_fd);
    *exec = (struct exec){ joining.launched.pid, joining.launched.pidfd, joining.console_fd,
                           joining.sync_fd };
    return 0;
}

int container_exec_start(struct exec *exec, struct error *err)
{
    int rc = message_send(exec->hold_fd, MESSAGE_GO, 0, -1);

    if (rc < 0)
        return fail(err, ERR_CONFLICT, "the process has ended");
    rc = message_await_end(exec->hold_fd, err);
    sys_close_fd(&exec->hold_fd);
    return rc;
}

void container_exec_close(struct exec *exec)
{
    sys_close_fd(&exec->pidfd);
    sys_close_fd(&exec->console_fd);
    sys_close_fd(&exec->hold_fd);
}

static int check_status(const struct joining *joining, struct error *err)
{
    enum container_status status = container_status(joining->container);

    if (status == CONTAINER_PAUSED && !joining->options->ignores_paused)
        return fail(err, ERR_CONFLICT,
                    "cannot exec in a paused container (use --ignore-paused to override)");
    if (status == CONTAINER_STOPPED || status == CONTAINER_CREATING)
        return fail(err, ERR_CONFLICT, "cannot exec in a stopped container: container not running");
    return 0;
}

static int join(struct joining *joining, struct error *err)
{
    const struct exec_options *options = joining->options;
    const struct container *container = joining->container;
    struct init *init = &joining->init;

    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* as in create.c; of this value: cannot fail */
    if (check_status(joining, err) < 0 || preserve_check(init->preserve_fds, err) < 0 ||
        capabilities_read(init->process, &init->capabilities, err) < 0 ||
        filter_restore(init->mem, container->state_fd, json_object_get(container->state, "seccomp"),
                       &init->filter, err) < 0 ||
        filter_connect(&init->filter, err) < 0 || join_launch(joining, err) < 0 ||
        join_await_ready(joining, err) < 0)
        return -1;
    if (affinity_set(joining->launched.pid, affinity_of(init->process, "final"), err) < 0 ||
        pid_file_write(init->mem, options->pid_file, joining->launched.pid, err) < 0)
        return -1;
    return options->is_held ? 0 : message_await_end(joining->sync_fd, err);
}

static int join_launch(struct joining *joining, struct error *err)
{
    const struct container *container = joining->container;
    const struct process *process = joining->init.process;
    struct launch_target target = {
        .pidfd = container->pidfd,
        .flags = (unsigned int)json_integer_value(json_object_get(container->state, "namespaces")),
        .cgroup = container->cgroup,
        .below = joining->options->cgroup,
    };
    int fds[2];
    int rc = message_pair(fds);

    if (rc < 0)
        return fail_sys(err, rc, "cannot make a socket");
    joining->sync_fd = fds[0];
    joining->init.sync_fd = fds[1];
    joining->init.ignored_signals = launch_ignored_signals();
    rc = launch_exec(&joining->init, &target, joining->sync_fd, &joining->launched, err);
    sys_close_fd(&joining->init.sync_fd); /* so that the end of the other side is heard */
    if (rc < 0)
        return -1;
    if (affinity_set(joining->launched.pid, affinity_of(process, "initial"), err) < 0 ||
        oom_score_adjust(joining->launched.pid, &process->oom_score_adj, err) < 0 ||
        rlimits_apply(process, joining->launched.pid, err) < 0 ||
        (!process->terminal &&
         stream_owner_set(joining->options->stdio, joining->options->stdio_owner,
                          joining->launched.pid, (target.flags & CLONE_NEWUSER) != 0, err) < 0))
        return -1;
    rc = message_send(joining->sync_fd, MESSAGE_GO, joining->launched.pid, -1);
    return rc < 0 ? fail_sys(err, rc, "the new process has ended") : 0;
}

static const char *affinity_of(const struct process *process, const char *when)
{
    return json_string_value(json_object_get(process->exec_cpu_affinity, when));
}

static int join_await_ready(struct joining *joining, struct error *err)
{
    struct message message;

    do {
        cleanup_fd int fd = -1;
        int rc = message_receive(joining->sync_fd, &message, &fd);
        if (rc < 0)
            return fail_sys(err, rc, "cannot hear from the new process");
        if (rc == 0)
            return fail(err, ERR_SYSTEM, "the new process has ended");
        if (take_message(joining, &message, &fd, err) < 0)
            return -1;
    } while (message.kind != MESSAGE_READY);
    return 0;
}

static int take_message(struct joining *joining, const struct message *message, int *fd,
                        struct error *err)
{
    if (message->kind == MESSAGE_ERROR)
        return message_to_error(message, err);
    if (message->kind == MESSAGE_CONSOLE)
        joining->console_fd = move_fd(fd);
    if (message->kind != MESSAGE_LISTENER)
        return 0;
    cleanup_json json_t *state = container_state_json(joining->container, CONTAINER_RUNNING);
    return filter_notify(&joining->init.filter, *fd, joining->launched.pid, state, err);
}
