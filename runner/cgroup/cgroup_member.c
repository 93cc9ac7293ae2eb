/* SPDX-License-Identifier: Apache-2.0 */
/* "0" means the writer, in the file that moves threads: the one that takes no lock of all. */
#include "runner/cgroup/cgroup_member.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/sys.h"
#include "runner/process/descriptor.h"

int cgroup_members_open(struct arena *mem, const struct cgroup *cgroup, const char *below,
                        struct cgroup_members *members, struct error *err)
{
    *members = (struct cgroup_members){ arena_array(mem, cgroup->count + 1, sizeof(int)), 0 };
    for (size_t i = 0; i < cgroup->count; i++) {
        struct hierarchy *hierarchy = &cgroup->hierarchies[i];
        if (below == NULL && hierarchy->tasks_fd > 0) {
            members->fds[members->count++] = hierarchy->tasks_fd;
            hierarchy->tasks_fd = 0;
            continue;
        }
        if (*hierarchy->controllers == '\0') /* v2: by the clone */
            continue;
        const char *path = arena_printf(mem, "%s%s%s/tasks", hierarchy->path,
                                        below != NULL ? "/" : "", below != NULL ? below : "");
        int fd = sys_openat(AT_FDCWD, path, O_WRONLY, 0);
        if (fd < 0) {
            cgroup_members_close(members);
            return fail_sys(err, fd, "cannot open cgroup '%s'", path);
        }
        members->fds[members->count++] = fd;
    }
    return 0;
}

int cgroup_members_join(const struct cgroup_members *members, struct error *err)
{
    for (size_t i = 0; i < members->count; i++) {
        int rc = sys_write_all(members->fds[i], "0", 1);
        if (rc < 0)
            return fail_sys(err, rc, "cannot join a control group");
    }
    return 0;
}

void cgroup_members_close(struct cgroup_members *members)
{
    for (size_t i = 0; i < members->count; i++)
        descriptor_close_later(&members->fds[i]);
    members->count = 0;
}

int cgroup_clone_fd(const struct cgroup *cgroup, const char *below, struct error *err)
{
    const struct hierarchy *unified = cgroup_find(cgroup, "");
    char path[4096];

    if (unified == NULL)
        return -1;
    (void)snprintf(path, sizeof(path), "%s%s%s", unified->path, below != NULL ? "/" : "",
                   below != NULL ? below : ""); /* cut: the open fails */
    int fd = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
    return fd < 0 ? fail_sys(err, fd, "cannot open cgroup '%s'", path) : fd;
}
