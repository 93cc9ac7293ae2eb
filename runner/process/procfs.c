/* SPDX-License-Identifier: Apache-2.0 */
/* Mounting, and writing after checking that it is procfs which is written to. */
#include "runner/process/procfs.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/fs.h"
#include "base/sys.h"

static int mount_procfs(void);

int procfs_open(struct error *err)
{
    cleanup_fd int fd = mount_procfs();

    if (fd < 0)
        fd = sys_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0)
        return fail_sys(err, fd, "cannot open procfs");
    if (fs_magic(fd) != PROC_SUPER_MAGIC)
        return fail(err, ERR_DENIED, "'/proc' is not a procfs");
    return move_fd(&fd);
}

int procfs_write(int proc_fd, const char *path, const char *text, struct error *err)
{
    cleanup_fd int fd = sys_openat2(proc_fd, path, O_WRONLY, 0,
                                    RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);

    if (fd < 0)
        return fail_sys(err, fd, "cannot open '/proc/%s'", path);
    if (fs_magic(fd) != PROC_SUPER_MAGIC)
        return fail(err, ERR_DENIED, "'/proc/%s' is not on a procfs", path);
    int rc = sys_write_all(fd, text, strlen(text));
    return rc < 0 ? fail_sys(err, rc, "cannot write '%s' to '/proc/%s'", text, path) : 0;
}

int procfs_reopen(int proc_fd, int fd, int flags)
{
    char path[32];

    (void)snprintf(path, sizeof(path), "self/fd/%d", fd); /* fits */
    return sys_openat(proc_fd, path, flags, 0);
}

static int mount_procfs(void)
{
    cleanup_fd int fs_fd = sys_fsopen("proc");

    if (fs_fd < 0)
        return fs_fd;
    int rc = sys_fsconfig_create(fs_fd);
    return rc < 0 ? rc
                  : sys_fsmount(fs_fd, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}
