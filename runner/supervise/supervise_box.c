/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock is of the fcntl kind: it belongs to this process, so no child that inherits the
 * descriptor keeps the box locked after the supervisor's death.
 */
#include "runner/supervise/supervise_box.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sys.h"

#define BOX_EXIT_NEW   ".exit.new"
#define BOX_EXIT_SPACE 2048 /* the line and an error text */
#define LISTEN_BACKLOG 128

static int lock_take_over(int fd);
static int exit_reserve(struct box *box);
static int exit_publish(struct box *box, const char *text);
static int bind_at(int socket_fd, int dirfd, const char *name);

int box_open(struct box *box, const char *path, struct error *err)
{
    *box = (struct box){ .fd = -1, .lock_fd = -1, .exit_fd = -1 };
    box->fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    if (box->fd < 0)
        return fail_sys(err, box->fd, "cannot open directory '%s'", path);
    box->lock_fd = sys_openat(box->fd, BOX_PID, O_RDWR | O_CREAT | O_NOFOLLOW, 0644);
    int rc = box->lock_fd < 0 ? box->lock_fd : lock_take_over(box->lock_fd);
    if (rc == -EACCES || rc == -EAGAIN)
        return fail(err, ERR_BUSY, "'%s' has a supervisor already", path);
    if (rc < 0)
        return fail_sys(err, rc, "cannot lock '%s'", path);
    (void)sys_unlinkat(box->fd, BOX_SOCKET, 0); /* absent, or of a supervisor that was killed */
    (void)sys_unlinkat(box->fd, BOX_EXIT, 0);   /* as above */
    rc = exit_reserve(box);
    return rc < 0 ? fail_sys(err, rc, "cannot reserve the exit file in '%s'", path) : 0;
}

int box_listen(const struct box *box, struct error *err)
{
    char pid[32];
    cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int length = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

    int rc = fd < 0 ? -errno : sys_ftruncate(box->lock_fd, 0);
    if (rc >= 0)
        rc = sys_write_all(box->lock_fd, pid, (size_t)length);
    if (rc >= 0)
        rc = bind_at(fd, box->fd, BOX_SOCKET);
    if (rc >= 0)
        rc = listen(fd, LISTEN_BACKLOG) < 0 ? -errno : 0;
    return rc < 0 ? fail_sys(err, rc, "cannot listen on '" BOX_SOCKET "'") : move_fd(&fd);
}

int box_write_exit(struct box *box, const char *text, struct error *err)
{
    int rc = box->exit_fd < 0 ? exit_reserve(box) : 0;

    if (rc >= 0)
        rc = exit_publish(box, text);
    if (rc < 0)
        return fail_sys(err, rc, "cannot write the exit file");
    return fs_sync_dir(box->fd, err);
}

void box_leave(struct box *box)
{
    (void)unlinkat(box->fd, BOX_SOCKET, 0);   /* the directory may be gone */
    (void)unlinkat(box->fd, BOX_EXIT_NEW, 0); /* there only when something failed */
    (void)unlinkat(box->fd, BOX_PID, 0);      /* last: until then the lock keeps others out */
    sys_close_fd(&box->exit_fd);
    sys_close_fd(&box->lock_fd);
}

bool box_is_removed(const struct box *box)
{
    struct stat st;

    return fstat(box->fd, &st) == 0 && st.st_nlink == 0;
}

static int lock_take_over(int fd)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    return fcntl(fd, F_SETLK, &lock) < 0 ? -errno : 0;
}

static int exit_reserve(struct box *box)
{
    char space[BOX_EXIT_SPACE];

    memset(space, ' ', sizeof(space));
    box->exit_fd =
        sys_openat(box->fd, BOX_EXIT_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    if (box->exit_fd < 0)
        return box->exit_fd;
    int rc = sys_write_all(box->exit_fd, space, sizeof(space));
    if (rc < 0)
        sys_close_fd(&box->exit_fd);
    return rc;
}

static int exit_publish(struct box *box, const char *text)
{
    size_t size = strlen(text);
    ssize_t put = pwrite(box->exit_fd, text, size, 0);
    int rc = put < 0 ? -errno : put < (ssize_t)size ? -ENOSPC : 0;

    if (rc >= 0)
        rc = sys_ftruncate(box->exit_fd, (off_t)size);
    if (rc >= 0)
        rc = sys_fsync(box->exit_fd);
    if (rc >= 0)
        rc = sys_renameat2(box->fd, BOX_EXIT_NEW, box->fd, BOX_EXIT, 0);
    if (rc >= 0)
        sys_close_fd(&box->exit_fd);
    return rc;
}

static int bind_at(int socket_fd, int dirfd, const char *name)
{
    /* Through /proc: sun_path is too short for a path, and chdir would be felt elsewhere. */
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dirfd, name);
    mode_t mask = umask(0177);
    int rc = bind(socket_fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
    (void)umask(mask);
    return rc;
}
