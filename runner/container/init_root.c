/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of the first process: making the root and entering it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/sys.h"
#include "runner/container/container_state.h"
#include "runner/container/hook.h"
#include "runner/container/init.h"
#include "runner/container/message.h"
#include "runner/mount/device.h"
#include "runner/mount/mask.h"
#include "runner/mount/rootfs.h"
#include "runner/mount/target.h"
#include "runner/process/procfs.h"

static bool wants_procfs(const struct init *init);
static int make_cwd(const struct init *init, struct error *err);

int init_open_host(struct init *init, struct error *err)
{
    if (wants_procfs(init)) {
        init->proc_fd = procfs_open(err);
        if (init->proc_fd < 0)
            return -1;
    }
    if (init->spec == NULL || init->spec->masked_paths == NULL)
        return 0;
    init->null_fd = device_open_null(err);
    return init->null_fd < 0 ? -1 : 0;
}

int init_open_sources(struct init *init, struct error *err)
{
    if (init->root_fd >= 0) /* by the parent */
        return 0;
    init->root_fd = rootfs_open(init->mem, init->spec, err);
    if (init->root_fd < 0)
        return -1;
    return mounts_prepare(init->mem, init->spec, init->mounts.cgroup, &init->mounts, err);
}

int init_build_root(struct init *init, struct error *err)
{
    const struct spec *spec = init->spec;

    if (rootfs_attach(spec, init->root_fd, err) < 0 ||
        mounts_attach(init->mem, &init->mounts, init->root_fd,
                      init->process->terminal ? &init->devpts_fd : NULL, err) < 0)
        return -1;
    if (devices_make(spec, init->root_fd, err) < 0)
        return -1;
    return make_cwd(init, err);
}

/* In an exec the root is the container's already, and its /dev/pts is checked to be a devpts. */
int init_open_console(struct init *init, struct error *err)
{
    if (!init->process->terminal)
        return 0;
    if (console_open(init->devpts_fd, init->process, &init->console, err) < 0)
        return -1;
    if (init->spec != NULL &&
        device_bind_console(init->root_fd, init->console.terminal_fd, err) < 0)
        return -1;
    int rc = message_send(init->sync_fd, MESSAGE_CONSOLE, 0, init->console.master_fd);
    sys_close_fd(&init->console.master_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot hand over the terminal") : 0;
}

int init_run_create_hooks(struct init *init, struct error *err)
{
    if (init->spec->hooks[HOOK_CREATE_CONTAINER].count == 0)
        return 0;
    cleanup_json json_t *state =
        container_state_of_spec(init->spec, init->id, init->host_pid, CONTAINER_CREATED);
    return hooks_run(init->spec->hooks, HOOK_CREATE_CONTAINER, state, err);
}

int init_enter_root(struct init *init, struct error *err)
{
    if (rootfs_enter(init->root_fd, init->without_pivot, err) < 0)
        return -1;
    return rootfs_finish(init->spec, init->root_fd, err);
}

/* Before anything that the container's side could have a hand in, such as its console. */
int init_hide_paths(struct init *init, struct error *err)
{
    if (readonly_paths_apply(init->spec->readonly_paths, init->root_fd, err) < 0)
        return -1;
    return masks_apply(init->spec->masked_paths, init->root_fd, init->null_fd, err);
}

int init_set_names(struct init *init, struct error *err)
{
    const struct spec *spec = init->spec;

    if (spec->hostname != NULL && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
        return fail_sys(err, -errno, "cannot set host name '%s'", spec->hostname);
    if (spec->domainname != NULL && setdomainname(spec->domainname, strlen(spec->domainname)) < 0)
        return fail_sys(err, -errno, "cannot set domain name '%s'", spec->domainname);
    return 0;
}

/* "net.ipv4.ip_forward" or, where a name has dots of its own, "net/ipv4/conf/eth0.1/forwarding". */
int init_set_sysctl(struct init *init, struct error *err)
{
    const char *key;
    json_t *value;

    json_object_foreach(init->spec->sysctl, key, value)
    {
        char *path = arena_printf(init->mem, "sys/%s", key);
        if (strchr(key, '/') == NULL)
            for (char *dot = path; (dot = strchr(dot, '.')) != NULL;)
                *dot = '/';
        if (procfs_write(init->proc_fd, path, json_string_value(value), err) < 0)
            return -1;
    }
    return 0;
}

static bool wants_procfs(const struct init *init)
{
    return init->fifo_fd >= 0 || init->process->apparmor_profile != NULL ||
           init->process->selinux_label != NULL ||
           (init->spec != NULL && json_object_size(init->spec->sysctl) > 0);
}

/* Engines name working directories that no image has; a read-only root then says so itself. */
static int make_cwd(const struct init *init, struct error *err)
{
    const char *cwd = init->process->cwd;

    if (strcmp(cwd, "/") == 0)
        return 0;
    cleanup_fd int fd = target_find(init->root_fd, cwd);

    if (fd != -ENOENT)
        return 0;
    sys_close_fd(&fd);
    fd = target_make(init->root_fd, cwd, TARGET_DIRECTORY, false, err);
    return fd < 0 ? -1 : 0;
}
