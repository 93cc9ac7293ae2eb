/* SPDX-License-Identifier: Apache-2.0 */
/* From outside: inside a user namespace a pipe of the host's has no owner that could be changed. */
#include "runner/process/stream_owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"

static int64_t host_user(uid_t user, pid_t pid);

int stream_owner_set(const int fds[3], uid_t owner, pid_t pid, bool has_user_namespace,
                     struct error *err)
{
    struct stat st;

    if (owner == (uid_t)-1)
        return 0;
    int64_t user = has_user_namespace ? host_user(owner, pid) : owner;
    for (int i = 0; i < 3 && user >= 0; i++) {
        if (fds[i] < 0 || sys_fstatat(fds[i], "", &st, AT_EMPTY_PATH) < 0 ||
            !S_ISFIFO(st.st_mode) || st.st_uid == (uid_t)user)
            continue;
        if (fchown(fds[i], (uid_t)user, (gid_t)-1) < 0 && geteuid() == 0)
            return fail_sys(err, -errno, "cannot give standard stream %d to user %u", i, owner);
    }
    return 0;
}

/* Lines of "inside outside count". */
static int64_t host_user(uid_t user, pid_t pid)
{
    char path[32];
    char text[4096];
    unsigned int inside;
    unsigned int outside;
    unsigned int count;
    int length;

    (void)snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid); /* fits */
    cleanup_fd int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
    ssize_t size = fd < 0 ? fd : sys_read(fd, text, sizeof(text) - 1);
    if (size < 0)
        return -1;
    text[size] = '\0';
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
    for (const char *at = text; sscanf(at, "%u %u %u%n", &inside, &outside, &count, &length) == 3;
         at += length)
        if (user >= inside && user - inside < count)
            return (int64_t)outside + (user - inside);
    return -1;
}
