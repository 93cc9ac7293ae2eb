/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds; planning and joining by descriptor. */
#include "runner/process/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/sys.h"
#include "runner/process/descriptor.h"
#include "runner/spec/spec.h"

static const struct {
    const char *name;
    unsigned int flag;
} kinds[NAMESPACE_KINDS] = {
    [NAMESPACE_USER] = { "user", CLONE_NEWUSER },
    [NAMESPACE_PID] = { "pid", CLONE_NEWPID },
    [NAMESPACE_IPC] = { "ipc", CLONE_NEWIPC },
    [NAMESPACE_UTS] = { "uts", CLONE_NEWUTS },
    [NAMESPACE_NETWORK] = { "network", CLONE_NEWNET },
    [NAMESPACE_CGROUP] = { "cgroup", CLONE_NEWCGROUP },
    [NAMESPACE_TIME] = { "time", CLONE_NEWTIME },
    [NAMESPACE_MOUNT] = { "mount", CLONE_NEWNS },
};

static int open_namespace(const struct namespace_spec *ns, unsigned int flag, struct error *err);

int namespace_kind_find(const char *name)
{
    for (int kind = 0; kind < NAMESPACE_KINDS; kind++)
        if (strcmp(kinds[kind].name, name) == 0)
            return kind;
    return -EINVAL;
}

const char *namespace_kind_name(enum namespace_kind kind)
{
    return kinds[kind].name;
}

unsigned int namespace_flag(enum namespace_kind kind)
{
    return kinds[kind].flag;
}

int namespaces_plan(const struct spec *spec, struct namespaces *namespaces, struct error *err)
{
    for (int kind = 0; kind < NAMESPACE_KINDS; kind++)
        namespaces->fds[kind] = -1;
    for (size_t i = 0; i < spec->namespaces.count; i++) {
        const struct namespace_spec *ns = ARRAY_ITEM(spec->namespaces, struct namespace_spec, i);
        int kind = namespace_kind_find(ns->type);
        if (ns->path == NULL || *ns->path == '\0') {
            namespaces->new_flags |= kinds[kind].flag;
            continue;
        }
        namespaces->fds[kind] = open_namespace(ns, kinds[kind].flag, err);
        if (namespaces->fds[kind] < 0)
            return -1;
        namespaces->joined_flags |= kinds[kind].flag;
    }
    return 0;
}

void namespaces_close(struct namespaces *namespaces)
{
    for (int kind = 0; kind < NAMESPACE_KINDS; kind++)
        descriptor_close_later(&namespaces->fds[kind]);
}

int namespaces_join(const struct namespaces *namespaces, unsigned int wanted, struct error *err)
{
    for (int kind = 0; kind < NAMESPACE_KINDS; kind++) {
        if (namespaces->fds[kind] < 0 || (wanted & kinds[kind].flag) == 0)
            continue;
        if (setns(namespaces->fds[kind], (int)kinds[kind].flag) < 0)
            return fail_sys(err, -errno, "cannot join the %s namespace", kinds[kind].name);
    }
    return 0;
}

int loopback_raise(struct error *err)
{
    struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    cleanup_fd_later int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return fail_sys(err, -errno, "cannot open a socket for the loopback interface");
    int rc = sys_ioctl(fd, SIOCSIFFLAGS, &request);
    return rc < 0 ? fail_sys(err, rc, "cannot raise the loopback interface") : 0;
}

static int open_namespace(const struct namespace_spec *ns, unsigned int flag, struct error *err)
{
    cleanup_fd int fd = sys_openat(AT_FDCWD, ns->path, O_RDONLY, 0);

    if (fd < 0)
        return fail_sys(err, fd, "cannot open the %s namespace '%s'", ns->type, ns->path);
    int type = sys_ioctl(fd, NS_GET_NSTYPE, NULL);
    if (type != (int)flag)
        return fail(err, ERR_INVALID, "'%s' is not a %s namespace", ns->path, ns->type);
    return move_fd(&fd);
}
