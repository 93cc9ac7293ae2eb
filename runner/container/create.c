/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a container: what needs the host's view is opened, the process is cloned, and while it
 * builds its root we set its groups; then limits, hooks, and the wait until it is ready.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/sys.h"
#include "runner/cgroup/cgroup.h"
#include "runner/container/container.h"
#include "runner/container/container_state.h"
#include "runner/container/hook.h"
#include "runner/container/init.h"
#include "runner/container/launch.h"
#include "runner/container/message.h"
#include "runner/container/net_device.h"
#include "runner/container/notify.h"
#include "runner/container/state.h"
#include "runner/mount/rootfs.h"
#include "runner/process/descriptor.h"
#include "runner/process/idmap.h"
#include "runner/process/oom.h"
#include "runner/process/pid_file.h"
#include "runner/process/preserve.h"
#include "runner/process/rlimit.h"
#include "runner/process/stream_owner.h"

#define FIFO_MODE 0622 /* init writes as the container's user */

/* All of it is let go at the end, whether it went well or not. */
struct creation {
    const struct container_options *options;
    const struct spec *spec;
    struct container *container;
    struct init init;
    struct launched launched;
    bool is_root; /* has rights on the host */
    int root_fd;  /* of the states */
    int sync_fd;  /* our end */
};

static int create_make(struct creation *creation, struct error *err);
static int open_sync(struct creation *creation, struct error *err);
static int create_prepare(struct creation *creation, struct error *err);
static int open_sources(struct creation *creation, struct error *err);
static int make_fifo(struct creation *creation, struct error *err);
static int create_launch(struct creation *creation, struct error *err);
static int map_ids(struct creation *creation, struct error *err);
static int set_groups(struct creation *creation, struct error *err);
static int create_await_ready(struct creation *creation, struct error *err);
static int take_message(struct creation *creation, const struct message *message, int *fd,
                        struct error *err);
static int finish_built(struct creation *creation, struct error *err);
static int notify_listener(struct creation *creation, int listener_fd, struct error *err);
static int fail_ended(struct creation *creation, struct error *err);
static int create_run(struct creation *creation, struct error *err);
static void create_end(struct creation *creation);
static void create_undo(struct creation *creation);

int container_create(struct arena *mem, const struct container_options *options,
                     const struct spec *spec, struct container **container, struct error *err)
{
    struct creation creation = {
        .options = options,
        .spec = spec,
        .launched = { .pidfd = -1 },
        .sync_fd = -1,
        .init = { .mem = mem,
                  .id = options->id,
                  .spec = spec,
                  .process = spec->process,
                  .personality = spec->personality,
                  .stdio = { options->stdio[0], options->stdio[1], options->stdio[2] },
                  .preserve_fds = options->preserve_fds,
                  .listen_fds = options->listen_fds,
                  .without_pivot = options->without_pivot,
                  .without_keyring = options->without_keyring,
                  .sync_fd = -1,
                  .fifo_fd = -1,
                  .root_fd = -1,
                  .filter = { .listener_socket = -1 } },
    };

    if (state_check_id(options->id, err) < 0)
        return -1;
    creation.is_root = geteuid() == 0;
    creation.root_fd = state_open_root(options->root, err);
    if (creation.root_fd < 0)
        return -1;
    for (int kind = 0; kind < NAMESPACE_KINDS; kind++)
        creation.init.namespaces.fds[kind] = -1;
    creation.container = container_new(mem, options->root, options->id);
    creation.container->state_fd = state_make(creation.root_fd, options->id, err);
    int rc = creation.container->state_fd < 0 ? -1 : create_make(&creation, err);
    if (rc < 0 && creation.container->state_fd >= 0)
        create_undo(&creation);
    create_end(&creation);
    if (rc < 0)
        return -1;
    *container = creation.container;
    return 0;
}

static int create_make(struct creation *creation, struct error *err)
{
    if (open_sync(creation, err) < 0 || create_prepare(creation, err) < 0 ||
        create_launch(creation, err) < 0 || map_ids(creation, err) < 0 ||
        set_groups(creation, err) < 0 || create_await_ready(creation, err) < 0 ||
        pid_file_write(creation->init.mem, creation->options->pid_file, creation->launched.pid,
                       err) < 0)
        return -1;
    return creation->options->without_fifo ? create_run(creation, err) : 0;
}

/* First, so that what the child closes lies side by side. */
static int open_sync(struct creation *creation, struct error *err)
{
    int fds[2];
    int rc = message_pair(fds);

    if (rc < 0)
        return fail_sys(err, rc, "cannot make a socket");
    creation->init.sync_fd = fds[0];
    creation->sync_fd = fds[1];
    return 0;
}

static int create_prepare(struct creation *creation, struct error *err)
{
    const struct spec *spec = creation->spec;
    struct init *init = &creation->init;
    struct container *container = creation->container;
    struct cgroup_request request = {
        .manager = creation->options->cgroup_manager,
        .id = creation->options->id,
        .path = spec->cgroups_path,
        .resources = &spec->resources,
    };

    container->bundle = spec->bundle;
    container->rootfs = spec->root_path;
    container->created_ns = clock_now_ns();
    /* Nothing in a container may look into us or our children (CVE-2016-9962).  The maps of a user
     * namespace that is made without rights on the host can be written only while we may be. */
    (void)prctl(PR_SET_DUMPABLE, creation->is_root ? 0 : 1, 0, 0,
                0); /* of these values: cannot fail */
    if (preserve_check(init->preserve_fds, err) < 0 ||
        capabilities_read(spec->process, &init->capabilities, err) < 0 ||
        namespaces_plan(spec, &init->namespaces, err) < 0 ||
        filter_prepare(init->mem, spec->seccomp, container->root, &init->filter, err) < 0 ||
        filter_connect(&init->filter, err) < 0 ||
        filter_store(&init->filter, container->state_fd, err) < 0 ||
        cgroup_create(init->mem, &request, &container->cgroup, err) < 0)
        return -1;
    if (creation->options->notifies &&
        (notify_make_directory(container->state_fd, err) < 0 ||
         (creation->options->without_fifo &&
          notify_open(container->state_fd, &container->notify_fd, err) < 0)))
        return -1;
    init->ignored_signals = launch_ignored_signals();
    if (cgroup_members_open(init->mem, container->cgroup, NULL, &init->members, err) < 0)
        return -1;
    if (open_sources(creation, err) < 0)
        return -1;
    return creation->options->without_fifo ? 0 : make_fifo(creation, err);
}

/* Who has no rights on the host opens them later, with those of the user namespace (init_root.c).
 */
static int open_sources(struct creation *creation, struct error *err)
{
    struct init *init = &creation->init;

    init->mounts.cgroup = creation->container->cgroup;
    if (!creation->is_root)
        return 0;
    init->root_fd = rootfs_open(init->mem, creation->spec, err);
    if (init->root_fd < 0)
        return -1;
    return mounts_prepare(init->mem, creation->spec, creation->container->cgroup, &init->mounts,
                          err);
}

static int make_fifo(struct creation *creation, struct error *err)
{
    int state_fd = creation->container->state_fd;
    int rc = sys_mknodat(state_fd, STATE_FIFO, S_IFIFO | FIFO_MODE, 0);

    if (rc >= 0)
        rc = sys_fchmodat(state_fd, STATE_FIFO, FIFO_MODE); /* whatever the umask */
    if (rc >= 0)
        rc = creation->init.fifo_fd = sys_openat(state_fd, STATE_FIFO, O_PATH | O_NOFOLLOW, 0);
    return rc < 0 ? fail_sys(err, rc, "cannot make '%s'", STATE_FIFO) : 0;
}

static int create_launch(struct creation *creation, struct error *err)
{
    struct container *container = creation->container;
    int rc = launch_create(&creation->init, container->cgroup, creation->sync_fd,
                           &creation->launched, err);
    sys_close_fd(&creation->init.sync_fd); /* so that the end of the other side is heard */
    if (rc < 0)
        return -1;
    container->pid = creation->launched.pid;
    container->pidfd = creation->launched.pidfd;
    container->start_ticks = process_start_ticks(container->pid);
    return 0;
}

static int map_ids(struct creation *creation, struct error *err)
{
    struct init *init = &creation->init;
    bool is_new = (init->namespaces.new_flags & CLONE_NEWUSER) != 0;
    cleanup_fd int userns_fd = -1;
    char path[48];

    if (is_new && idmap_write(init->mem, creation->launched.pid, &creation->spec->uid_maps,
                              &creation->spec->gid_maps, err) < 0)
        return -1;
    if (mounts_want_userns(&init->mounts) &&
        ((init->namespaces.new_flags | init->namespaces.joined_flags) & CLONE_NEWUSER) != 0) {
        (void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)creation->launched.pid);
        userns_fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
        if (userns_fd < 0)
            return fail_sys(err, userns_fd, "cannot open the container's user namespace");
    }
    if (mounts_map_ids(init->mem, &init->mounts, userns_fd, err) < 0)
        return -1;
    int rc = mounts_are_mapped(&init->mounts) || is_new
                 ? message_send(creation->sync_fd, MESSAGE_GO, 0, -1)
                 : 0;
    return rc < 0 ? fail_ended(creation, err) : 0;
}

/* Meanwhile the child builds its root.  A crash of ours from here on leaves a state to be found. */
static int set_groups(struct creation *creation, struct error *err)
{
    struct container *container = creation->container;
    const struct process *process = creation->spec->process;

    container->state = container_state_stored(creation->spec, container, &creation->init.namespaces,
                                              &creation->init.filter);
    container->annotations = json_object_get(container->state, "annotations");
    container->owner = json_string_value(json_object_get(container->state, "owner"));
    if (state_write(container->state_fd, container->state, err) < 0 ||
        cgroup_apply(container->cgroup, &creation->spec->resources, err) < 0 ||
        (creation->options->cgroup_manager != CGROUP_DISABLED &&
         cgroup_devices_apply(container->cgroup, &creation->spec->resources.devices, err) < 0) ||
        oom_score_adjust(container->pid, &process->oom_score_adj, err) < 0)
        return -1;
    int rc = message_send(creation->sync_fd, MESSAGE_GO, container->pid, -1); /* joins them */
    return rc < 0 ? fail_ended(creation, err) : 0;
}

static int create_await_ready(struct creation *creation, struct error *err)
{
    struct message message;

    do {
        cleanup_fd int fd = -1;
        int rc = message_receive(creation->sync_fd, &message, &fd);
        if (rc < 0)
            return fail_sys(err, rc, "cannot hear from the container's process");
        if (rc == 0)
            return fail_ended(creation, err);
        if (take_message(creation, &message, &fd, err) < 0)
            return -1;
    } while (message.kind != MESSAGE_READY);
    cgroup_release(creation->container->cgroup);
    return 0;
}

static int take_message(struct creation *creation, const struct message *message, int *fd,
                        struct error *err)
{
    switch (message->kind) {
    case MESSAGE_BUILT: return finish_built(creation, err);
    case MESSAGE_CONSOLE: creation->container->console_fd = move_fd(fd); return 0;
    case MESSAGE_LISTENER: return notify_listener(creation, *fd, err);
    case MESSAGE_READY: return 0;
    case MESSAGE_ERROR: return message_to_error(message, err);
    default: return fail(err, ERR_SYSTEM, "unexpected message %u", message->kind);
    }
}

/* Limits only now: what the user may not do, building the root may need. */
static int finish_built(struct creation *creation, struct error *err)
{
    struct container *container = creation->container;
    const struct array *hooks = creation->spec->hooks;

    bool has_userns =
        ((creation->init.namespaces.new_flags | creation->init.namespaces.joined_flags) &
         CLONE_NEWUSER) != 0;

    if (rlimits_apply(creation->spec->process, container->pid, err) < 0 ||
        net_devices_move(creation->spec->net_devices, container->pid, err) < 0 ||
        (!creation->spec->process->terminal &&
         stream_owner_set(creation->options->stdio, creation->options->stdio_owner, container->pid,
                          has_userns, err) < 0))
        return -1;
    if (hooks[HOOK_PRESTART].count + hooks[HOOK_CREATE_RUNTIME].count > 0) {
        cleanup_json json_t *state = container_state_json(container, CONTAINER_CREATED);
        if (hooks_run(hooks, HOOK_PRESTART, state, err) < 0 ||
            hooks_run(hooks, HOOK_CREATE_RUNTIME, state, err) < 0)
            return -1;
    }
    int rc = message_send(creation->sync_fd, MESSAGE_GO, container->pid, -1);
    return rc < 0 ? fail_ended(creation, err) : 0;
}

static int notify_listener(struct creation *creation, int listener_fd, struct error *err)
{
    struct container *container = creation->container;
    cleanup_json json_t *state = container_state_json(container, CONTAINER_CREATING);

    return filter_notify(&creation->init.filter, listener_fd, container->pid, state, err);
}

/* It may have told why before it went. */
static int fail_ended(struct creation *creation, struct error *err)
{
    struct message message;
    siginfo_t info = { 0 };
    int ignored_fd;

    while (message_receive(creation->sync_fd, &message, &ignored_fd) == 1) {
        sys_close_fd(&ignored_fd);
        if (message.kind == MESSAGE_ERROR)
            return message_to_error(&message, err);
    }
    if (waitid(P_PID, (id_t)creation->launched.pid, &info, WEXITED | WNOWAIT) == 0 &&
        info.si_code != CLD_EXITED)
        return fail(err, ERR_SYSTEM, "the container's process was ended by signal %d",
                    info.si_status);
    return fail(err, ERR_SYSTEM, "the container's process has ended");
}

/* Without a fifo nobody will call container_start. */
static int create_run(struct creation *creation, struct error *err)
{
    struct container *container = creation->container;

    if (message_await_end(creation->sync_fd, err) < 0)
        return -1;
    if (creation->spec->hooks[HOOK_POSTSTART].count == 0)
        return 0;
    cleanup_json json_t *state = container_state_json(container, CONTAINER_RUNNING);
    return hooks_run(creation->spec->hooks, HOOK_POSTSTART, state, err);
}

static void create_end(struct creation *creation)
{
    namespaces_close(&creation->init.namespaces);
    mounts_close(&creation->init.mounts);
    cgroup_members_close(&creation->init.members);
    descriptor_close_later(&creation->init.filter.listener_socket);
    descriptor_close_later(&creation->init.root_fd);
    descriptor_close_later(&creation->init.fifo_fd);
    descriptor_close_later(&creation->init.sync_fd);
    descriptor_close_later(&creation->sync_fd);
    descriptor_close_later(&creation->root_fd);
    descriptors_close_late();
}

/* The process first: what it holds cannot be removed under it. */
static void create_undo(struct creation *creation)
{
    struct container *container = creation->container;
    struct error ignored; /* the first error is the one to tell */

    container->pidfd = -1; /* launched's, closed with it */
    launch_abort(&creation->launched);
    if (container->cgroup != NULL) {
        cgroup_release(container->cgroup);
        (void)cgroup_kill(container->cgroup, SIGKILL, &ignored);
        (void)cgroup_remove(container->cgroup, &ignored);
    }
    (void)state_remove(container->root, container->id, &ignored);
    container_close(container);
}
