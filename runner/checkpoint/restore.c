/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a container of images: state, groups and root as create.c makes them, then criu, in a
 * mount namespace of its own in which the root is mounted, and in the container's groups, so that
 * what it brings back is in them from the first moment.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/path.h"
#include "base/sys.h"
#include "runner/cgroup/cgroup.h"
#include "runner/cgroup/cgroup_member.h"
#include "runner/checkpoint/checkpoint.h"
#include "runner/checkpoint/external.h"
#include "runner/checkpoint/restore_flags.h"
#include "runner/container/container_state.h"
#include "runner/container/hook.h"
#include "runner/container/state.h"
#include "runner/mount/rootfs.h"
#include "runner/mount/target.h"
#include "runner/process/descriptor.h"
#include "runner/process/filter.h"
#include "runner/process/pid_file.h"

#define ROOT_NAME "root" /* in the state directory, as long as criu runs */

struct restoration {
    struct arena *mem;
    const struct container_options *options;
    const struct spec *spec;
    struct container *container;
    struct criu_call call;

    struct namespaces namespaces;
    struct filter filter;
    struct cgroup_members members;
    int unified_fd; /* v2's cgroup.procs; -1 where there is none */
    int root_fd;
};

static int restore_make(struct restoration *restoration, const struct checkpoint_options *options,
                        struct error *err);
static int restore_prepare(struct restoration *restoration, struct error *err);
static int make_mount_points(const struct restoration *restoration, struct error *err);
static bool is_on_root(const struct spec *spec, size_t index);
static int describe(struct restoration *restoration, const struct checkpoint_options *options,
                    struct error *err);
static void set_group_roots(struct restoration *restoration);
static int enter(void *owner, struct error *err);
static int at_point(void *owner, const char *point, pid_t pid, int *fd, struct error *err);
static int restore_finish(struct restoration *restoration, struct error *err);
static void restore_undo(struct restoration *restoration);
static void restore_end(struct restoration *restoration);

int container_restore(struct arena *mem, const struct container_options *container_options,
                      const struct checkpoint_options *options, const struct spec *spec,
                      struct container **container, struct error *err)
{
    struct restoration restoration = {
        .mem = mem,
        .options = container_options,
        .spec = spec,
        .call = { .action = CRIU_RESTORE,
                  .image_fd = -1,
                  .work_fd = -1,
                  .enter = enter,
                  .notify = at_point },

        .filter = { .listener_socket = -1 },
        .unified_fd = -1,
        .root_fd = -1,
    };

    if (state_check_id(container_options->id, err) < 0)
        return -1;
    cleanup_fd int states_fd = state_open_root(container_options->root, err);
    if (states_fd < 0)
        return -1;
    for (int kind = 0; kind < NAMESPACE_KINDS; kind++)
        restoration.namespaces.fds[kind] = -1;
    restoration.call.owner = &restoration;
    restoration.container = container_new(mem, container_options->root, container_options->id);
    restoration.container->state_fd = state_make(states_fd, container_options->id, err);
    if (restoration.container->state_fd < 0)
        return -1;
    int rc = restore_make(&restoration, options, err);
    if (rc < 0)
        restore_undo(&restoration);
    restore_end(&restoration);
    if (rc == 0)
        *container = restoration.container;
    return rc;
}

static int restore_make(struct restoration *restoration, const struct checkpoint_options *options,
                        struct error *err)
{
    if (restore_prepare(restoration, err) < 0 || make_mount_points(restoration, err) < 0 ||
        describe(restoration, options, err) < 0 ||
        criu_run(restoration->mem, &restoration->call, err) < 0)
        return -1;
    (void)sys_unlinkat(restoration->container->state_fd, ROOT_NAME, AT_REMOVEDIR); /* or delete */
    return restore_finish(restoration, err);
}

/* Limits at once: there is nothing to be built that they could hinder. */
static int restore_prepare(struct restoration *restoration, struct error *err)
{
    const struct spec *spec = restoration->spec;
    struct container *container = restoration->container;
    struct cgroup_request request = {
        .manager = restoration->options->cgroup_manager,
        .id = restoration->options->id,
        .path = spec->cgroups_path,
        .resources = &spec->resources,
    };

    container->bundle = spec->bundle;
    container->rootfs = spec->root_path;
    container->created_ns = clock_now_ns();
    if (namespaces_plan(spec, &restoration->namespaces, err) < 0 ||
        filter_prepare(restoration->mem, spec->seccomp, container->root, &restoration->filter,
                       err) < 0 ||
        filter_store(&restoration->filter, container->state_fd, err) < 0 ||
        cgroup_create(restoration->mem, &request, &container->cgroup, err) < 0 ||
        cgroup_apply(container->cgroup, &spec->resources, err) < 0 ||
        (request.manager != CGROUP_DISABLED &&
         cgroup_devices_apply(container->cgroup, &spec->resources.devices, err) < 0) ||
        cgroup_members_open(restoration->mem, container->cgroup, NULL, &restoration->members, err) <
            0)
        return -1;
    const struct hierarchy *unified = cgroup_find(container->cgroup, "");
    if (unified != NULL) {
        const char *path = arena_printf(restoration->mem, "%s/cgroup.procs", unified->path);
        restoration->unified_fd = sys_openat(AT_FDCWD, path, O_WRONLY, 0);
        if (restoration->unified_fd < 0)
            return fail_sys(err, restoration->unified_fd, "cannot open cgroup '%s'", path);
    }
    restoration->root_fd = rootfs_open(restoration->mem, spec, err);
    return restoration->root_fd < 0 ? -1 : 0;
}

/* The image of a root may come without the places that create had made for mounts. */
static int make_mount_points(const struct restoration *restoration, struct error *err)
{
    const struct spec *spec = restoration->spec;
    struct stat st;

    for (size_t i = 0; i < spec->mounts.count; i++) {
        const struct mount_spec *mount = ARRAY_ITEM(spec->mounts, const struct mount_spec, i);
        bool is_file = external_is_bind(restoration->mem, mount) && mount->source != NULL &&
                       sys_fstatat(AT_FDCWD, mount->source, &st, 0) >= 0 && !S_ISDIR(st.st_mode);
        if (!is_on_root(spec, i))
            continue;
        cleanup_fd_later int fd = target_make(restoration->root_fd, mount->destination,
                                              is_file ? TARGET_FILE : TARGET_DIRECTORY, false, err);
        if (fd < 0)
            return -1;
    }
    descriptors_close_late();
    return 0;
}

/* What lies in another mount is that one's: criu brings its contents back, or it is from outside.
 */
static bool is_on_root(const struct spec *spec, size_t index)
{
    const char *path = ARRAY_ITEM(spec->mounts, const struct mount_spec, index)->destination;

    for (size_t i = 0; i < spec->mounts.count; i++) {
        const char *other = ARRAY_ITEM(spec->mounts, const struct mount_spec, i)->destination;
        if (strcmp(other, path) != 0 && path_is_within(path, other))
            return false;
    }
    return true;
}

static int describe(struct restoration *restoration, const struct checkpoint_options *options,
                    struct error *err)
{
    struct criu_call *call = &restoration->call;
    const struct container_options *container = restoration->options;

    if (checkpoint_begin(call, options, err) < 0 ||
        external_streams_restore(restoration->mem, call, call->image_fd, container->stdio, err) <
            0 ||
        external_namespaces_restore(call, restoration->spec, &restoration->namespaces, err) < 0)
        return -1;
    external_mounts_restore(restoration->mem, call, restoration->spec,
                            restoration->container->cgroup);
    criu_text(call, CRIU_ROOT,
              arena_printf(restoration->mem, "%s/%s/" ROOT_NAME, container->root, container->id));
    criu_number(call, CRIU_RST_SIBLING, 1); /* a child of ours, not criu's */
    if (options->lsm_profile != NULL)
        criu_text(call, CRIU_LSM_PROFILE, options->lsm_profile);
    if (options->lsm_mount_context != NULL)
        criu_text(call, CRIU_LSM_MOUNT_CONTEXT, options->lsm_mount_context);
    set_group_roots(restoration);
    return 0;
}

/* The groups may have other names than when they were stored. */
static void set_group_roots(struct restoration *restoration)
{
    const struct cgroup *cgroup = restoration->container->cgroup;

    for (size_t i = 0; i < cgroup->count; i++) {
        const struct hierarchy *hierarchy = &cgroup->hierarchies[i];
        const char *path = hierarchy->path + strlen(hierarchy->mount);
        const char *at = hierarchy->controllers;
        if (cgroup->is_unified)
            criu_pair(&restoration->call, CRIU_CG_ROOT, NULL, path);
        while (*at != '\0') {
            size_t length = strcspn(at, ",");
            criu_pair(&restoration->call, CRIU_CG_ROOT, arena_strndup(restoration->mem, at, length),
                      path);
            at += length + (at[length] == ',');
        }
    }
}

static int enter(void *owner, struct error *err)
{
    struct restoration *restoration = owner;
    struct mount_attr slave = { .propagation = MS_SLAVE };
    const struct container *container = restoration->container;

    if (cgroup_members_join(&restoration->members, err) < 0)
        return -1;
    int rc = restoration->unified_fd >= 0 ? sys_write_all(restoration->unified_fd, "0", 1) : 0;
    if (rc < 0)
        return fail_sys(err, rc, "cannot join a control group");
    if (unshare(CLONE_NEWNS) < 0)
        return fail_sys(err, -errno, "cannot make a mount namespace");
    rc = sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &slave);
    /* Anew: what was open before is of the other namespace. */
    cleanup_fd int state_fd = rc < 0 ? -1 : state_open(container->root, container->id, err);
    if (rc >= 0 && state_fd < 0)
        return -1;
    if (rc >= 0)
        rc = sys_mkdirat(state_fd, ROOT_NAME, 0700);
    if (rc >= 0)
        rc = sys_move_mount(restoration->root_fd, "", state_fd, ROOT_NAME, MOVE_MOUNT_F_EMPTY_PATH);
    return rc < 0 ? fail_sys(err, rc, "cannot mount the root for criu") : 0;
}

static int at_point(void *owner, const char *point, pid_t pid, int *fd, struct error *err)
{
    struct restoration *restoration = owner;
    struct container *container = restoration->container;
    const struct array *hooks = restoration->spec->hooks;

    if (strcmp(point, "orphan-pts-master") == 0)
        container->console_fd = move_fd(fd);
    if (strcmp(point, "post-restore") == 0)
        return restore_flags(restoration->mem, restoration->spec, pid, err);
    if (strcmp(point, "setup-namespaces") != 0 ||
        hooks[HOOK_PRESTART].count + hooks[HOOK_CREATE_RUNTIME].count == 0)
        return 0;
    cleanup_json json_t *state =
        container_state_of_spec(restoration->spec, container->id, pid, CONTAINER_CREATED);
    if (hooks_run(hooks, HOOK_PRESTART, state, err) < 0)
        return -1;
    return hooks_run(hooks, HOOK_CREATE_RUNTIME, state, err);
}

static int restore_finish(struct restoration *restoration, struct error *err)
{
    struct container *container = restoration->container;

    cgroup_release(container->cgroup);
    container->pid = restoration->call.pid;
    container->pidfd = sys_pidfd_open(container->pid); /* our child: not reaped, so still it */
    if (container->pidfd < 0)
        return fail_sys(err, container->pidfd, "cannot open the restored process");
    container->start_ticks = process_start_ticks(container->pid);
    container->state = container_state_stored(restoration->spec, container,
                                              &restoration->namespaces, &restoration->filter);
    container->annotations = json_object_get(container->state, "annotations");
    container->owner = json_string_value(json_object_get(container->state, "owner"));
    if (state_write(container->state_fd, container->state, err) < 0)
        return -1;
    return pid_file_write(restoration->mem, restoration->options->pid_file, container->pid, err);
}

static void restore_undo(struct restoration *restoration)
{
    struct container *container = restoration->container;
    struct error ignored; /* the first error is the one to tell */

    if (restoration->call.pid > 0) {
        (void)kill(restoration->call.pid, SIGKILL); /* our child, not reaped */
        while (waitpid(restoration->call.pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (container->cgroup != NULL) {
        cgroup_release(container->cgroup);
        (void)cgroup_kill(container->cgroup, SIGKILL, &ignored);
        (void)cgroup_remove(container->cgroup, &ignored);
    }
    (void)sys_unlinkat(container->state_fd, ROOT_NAME, AT_REMOVEDIR); /* may not be there */
    (void)state_remove(container->root, container->id, &ignored);
    container_close(container);
}

static void restore_end(struct restoration *restoration)
{
    criu_done(&restoration->call);
    namespaces_close(&restoration->namespaces);
    cgroup_members_close(&restoration->members);
    descriptor_close_later(&restoration->unified_fd);
    descriptor_close_later(&restoration->root_fd);
    descriptors_close_late();
}
