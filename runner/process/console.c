/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a pair without a path that the container could have exchanged. */
#include "runner/process/console.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"
#include "runner/mount/target.h"

#define PTMX_MAJOR     5
#define PTMX_MINOR     2
#define TERMINAL_MAJOR 136

static int open_master(int devpts_fd, struct error *err);
static int open_devpts(void);
static int prepare_terminal(int terminal_fd, const struct process *process);

int console_open(int devpts_fd, const struct process *process, struct console *console,
                 struct error *err)
{
    int unlocked = 0;
    struct stat st;
    cleanup_fd int master_fd = open_master(devpts_fd, err);

    if (master_fd < 0)
        return -1;
    int rc = sys_ioctl(master_fd, TIOCSPTLCK, &unlocked);
    if (rc < 0)
        return fail_sys(err, rc, "cannot unlock the terminal");
    /* The peer by the master's descriptor, never by its name in a /dev/pts. */
    cleanup_fd int terminal_fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal_fd < 0)
        return fail_sys(err, -errno, "cannot open the terminal");
    rc = sys_fstatat(terminal_fd, "", &st, AT_EMPTY_PATH);
    if (rc < 0 || !S_ISCHR(st.st_mode) || major(st.st_rdev) != TERMINAL_MAJOR)
        return fail(err, ERR_DENIED, "the terminal's peer is not a pseudo-terminal");
    rc = prepare_terminal(terminal_fd, process);
    if (rc < 0)
        return fail_sys(err, rc, "cannot prepare the terminal");
    *console = (struct console){ move_fd(&master_fd), move_fd(&terminal_fd) };
    return 0;
}

int console_take(int terminal_fd, struct error *err)
{
    if (ioctl(terminal_fd, TIOCSCTTY, 0) < 0)
        return fail_sys(err, -errno, "cannot take the terminal");
    for (int fd = 0; fd <= 2; fd++)
        if (dup2(terminal_fd, fd) < 0)
            return fail_sys(err, -errno, "cannot use the terminal");
    return 0;
}

int console_send(const char *path, int master_fd, struct error *err)
{
    return console_send_as(path, "terminal", master_fd, err);
}

int console_send_as(const char *path, const char *name, int sent_fd, struct error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    cleanup_fd int socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof(address.sun_path))
        return fail(err, ERR_INVALID, "the path of socket '%s' is too long", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (socket_fd < 0 || connect(socket_fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return fail_sys(err, -errno, "cannot connect to socket '%s'", path);
    int rc = console_pass(socket_fd, name, strlen(name), sent_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot send the %s to '%s'", name, path) : 0;
}

int console_pass(int socket_fd, const void *data, size_t size, int fd)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec piece = { .iov_len = size };
    struct msghdr message = { .msg_iov = &piece,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = sizeof(control) };

    memcpy(&piece.iov_base, &data, sizeof(data)); /* sendmsg only reads */
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    return sendmsg(socket_fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int open_master(int devpts_fd, struct error *err)
{
    struct stat st;
    cleanup_fd int own_fd = devpts_fd < 0 ? open_devpts() : -1;

    if (devpts_fd < 0)
        devpts_fd = own_fd;
    if (devpts_fd < 0)
        return fail_sys(err, devpts_fd, "cannot open '/dev/pts'");
    if (fs_magic(devpts_fd) != DEVPTS_SUPER_MAGIC)
        return fail(err, ERR_INVALID, "'/dev/pts' is not a devpts");
    cleanup_fd int fd = sys_openat(devpts_fd, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW, 0);
    int rc = fd < 0 ? fd : sys_fstatat(fd, "", &st, AT_EMPTY_PATH);
    if (rc < 0)
        return fail_sys(err, rc, "cannot open '/dev/pts/ptmx'");
    if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(PTMX_MAJOR, PTMX_MINOR))
        return fail(err, ERR_DENIED, "'/dev/pts/ptmx' is not the terminal multiplexer");
    return move_fd(&fd);
}

static int open_devpts(void)
{
    cleanup_fd int root_fd = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);

    return root_fd < 0 ? root_fd : target_find_plain(root_fd, "/dev/pts");
}

static int prepare_terminal(int terminal_fd, const struct process *process)
{
    struct winsize size = { .ws_row = (unsigned short)process->console_rows,
                            .ws_col = (unsigned short)process->console_columns };
    int rc = 0;

    if (size.ws_row != 0 && size.ws_col != 0)
        rc = sys_ioctl(terminal_fd, TIOCSWINSZ, &size);
    if (rc >= 0 && fchown(terminal_fd, process->uid, (gid_t)-1) < 0)
        rc = -errno;
    return rc;
}
