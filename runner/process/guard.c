/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A detached read-only bind of our own file, executed by descriptor; a sealed copy in memory where
 * that cannot be had.  Being read-only is what ends the recursion: the second life finds itself on
 * it.
 */
#include "runner/process/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/sys.h"

#define SELF  "/proc/self/exe"
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int is_safe(void);
static int clone_read_only(void);
static int copy_sealed(void);

void guard_binary(char **argv)
{
    if (is_safe())
        return;
    int fd = clone_read_only();
    if (fd < 0)
        fd = copy_sealed();
    if (fd >= 0)
        (void)syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
    (void)fprintf(stderr, "runner: cannot protect its own binary: %s\n", strerrordesc_np(errno));
    exit(EXIT_FAILURE);
}

static int is_safe(void)
{
    struct statfs st;

    if (statfs(SELF, &st) < 0)
        return 0;
    if ((st.f_flags & ST_RDONLY) != 0)
        return 1;
    if (st.f_type != TMPFS_MAGIC) /* where memfds lie */
        return 0;
    cleanup_fd int fd = sys_openat(AT_FDCWD, SELF, O_RDONLY, 0);
    int seals = fd < 0 ? fd : fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & SEALS) == SEALS;
}

static int clone_read_only(void)
{
    struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
    int fd = sys_open_tree(AT_FDCWD, SELF, OPEN_TREE_CLONE);

    if (fd >= 0 && sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr) < 0)
        sys_close_fd(&fd);
    return fd;
}

static int copy_sealed(void)
{
    struct stat st;
    cleanup_fd int source_fd = sys_openat(AT_FDCWD, SELF, O_RDONLY, 0);
    cleanup_fd int fd = memfd_create("runner", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    off_t done = 0;

    if (source_fd < 0 || fd < 0 || fstat(source_fd, &st) < 0)
        return -1;
    while (done < st.st_size)
        if (sendfile(fd, source_fd, &done, (size_t)(st.st_size - done)) <= 0)
            return -1;
    return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -1 : move_fd(&fd);
}
