/* SPDX-License-Identifier: Apache-2.0 */
/* A process of its own joins the mount namespace, and sets them by descriptor. */
#include "runner/checkpoint/restore_flags.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "runner/checkpoint/external.h"
#include "runner/container/message.h"
#include "runner/mount/target.h"
#include "runner/spec/mount_option.h"

static int set_all(struct arena *mem, const struct spec *spec, int pidfd, struct error *err);
static int set_bind(struct arena *mem, const struct mount_spec *mount, int root_fd,
                    struct error *err);
static int set_paths(const char *const *paths, bool are_masked, int root_fd, struct error *err);
static int set_one(int fd, const char *path, bool is_recursive, const struct mount_attr *attr,
                   struct error *err);

int restore_flags(struct arena *mem, const struct spec *spec, pid_t pid, struct error *err)
{
    struct message message = { 0 };
    int fds[2];
    int ignored_fd = -1;
    cleanup_fd int pidfd = sys_pidfd_open(pid);
    int rc = pidfd < 0 ? pidfd : message_pair(fds);

    if (rc < 0)
        return fail_sys(err, rc, "cannot look after the restored mounts");
    cleanup_fd int sync_fd = fds[0];
    cleanup_fd int theirs_fd = fds[1];
    pid_t child = fork();
    if (child < 0)
        return fail_sys(err, -errno, "cannot make a process");
    if (child == 0) {
        if (set_all(mem, spec, pidfd, err) == 0)
            _exit(0);
        (void)message_send_error(theirs_fd, err); /* nobody there: the status tells */
        _exit(1);
    }
    sys_close_fd(&theirs_fd);
    rc = message_receive(sync_fd, &message, &ignored_fd);
    sys_close_fd(&ignored_fd);
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (rc == 1)
        return message_to_error(&message, err);
    return status == 0 ? 0 : fail(err, ERR_SYSTEM, "cannot look after the restored mounts");
}

static int set_all(struct arena *mem, const struct spec *spec, int pidfd, struct error *err)
{
    static const struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };

    if (setns(pidfd, CLONE_NEWNS) < 0)
        return fail_sys(err, -errno, "cannot join the restored mount namespace");
    int root_fd = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0); /* until the process ends */
    if (root_fd < 0)
        return fail_sys(err, root_fd, "cannot open the restored root");
    for (size_t i = 0; i < spec->mounts.count; i++) {
        const struct mount_spec *mount = ARRAY_ITEM(spec->mounts, const struct mount_spec, i);
        if (external_is_bind(mem, mount) && set_bind(mem, mount, root_fd, err) < 0)
            return -1;
    }
    if (set_paths(spec->readonly_paths, false, root_fd, err) < 0 ||
        set_paths(spec->masked_paths, true, root_fd, err) < 0)
        return -1;
    return spec->is_root_readonly ? set_one(root_fd, "/", false, &read_only, err) : 0;
}

static int set_bind(struct arena *mem, const struct mount_spec *mount, int root_fd,
                    struct error *err)
{
    struct mount_options options = { 0 };
    const char *path = mount->destination;

    mount_options_read(mem, mount->options, &options);
    struct mount_attr own = { .attr_set = options.set, .attr_clr = options.clear };
    struct mount_attr all = { .attr_set = options.recursive_set,
                              .attr_clr = options.recursive_clear };
    cleanup_fd int fd = target_find(root_fd, path);
    if (fd == -ENOENT && options.is_optional)
        return 0;
    if ((own.attr_set | own.attr_clr) != 0 && set_one(fd, path, false, &own, err) < 0)
        return -1;
    return (all.attr_set | all.attr_clr) != 0 ? set_one(fd, path, true, &all, err) : 0;
}

static int set_paths(const char *const *paths, bool are_masked, int root_fd, struct error *err)
{
    const struct mount_attr attr = {
        .attr_set = MOUNT_ATTR_RDONLY | (are_masked ? MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC : 0u),
    };

    for (; paths != NULL && *paths != NULL; paths++) {
        cleanup_fd int fd = target_find(root_fd, *paths);
        if (fd == -ENOENT || fd == -ENOTDIR)
            continue;
        if (set_one(fd, *paths, false, &attr, err) < 0)
            return -1;
    }
    return 0;
}

/* EINVAL: nothing is mounted there, so that it is not what was meant. */
static int set_one(int fd, const char *path, bool is_recursive, const struct mount_attr *attr,
                   struct error *err)
{
    int rc = fd < 0 ? fd
                    : sys_mount_setattr(fd, "", AT_EMPTY_PATH | (is_recursive ? AT_RECURSIVE : 0u),
                                        attr);

    return rc < 0 ? fail_sys(err, rc, "cannot set the options of the restored '%s'", path) : 0;
}
