/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes and the pty.  Only our ends are non-blocking: a process may not expect it of its own.
 */
#include "runner/supervise/stdio_ends.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sys.h"

static int make_pipe(int *read_fd, int *write_fd);
static int make_pipes(struct stdio *stdio, bool has_input, int theirs[3]);
static int set_nonblocking(int fd);

int stdio_make_pipes(struct stdio *stdio, bool has_input, int theirs[3], struct error *err)
{
    *stdio = (struct stdio){ .input_fd = -1, .output_fd = { -1, -1 } };
    for (int i = 0; i < 3; i++)
        theirs[i] = -1;
    int rc = make_pipes(stdio, has_input, theirs);
    if (rc >= 0)
        return 0;
    stdio_close(stdio);
    for (int i = 0; i < 3; i++)
        sys_close_fd(&theirs[i]);
    return fail_sys(err, rc, "cannot make the standard streams");
}

void stdio_use_pipes(struct stdio *stdio, int input_fd, const int output_fd[2])
{
    *stdio = (struct stdio){ .input_fd = input_fd, .output_fd = { output_fd[0], output_fd[1] } };
}

int stdio_use_terminal(struct stdio *stdio, int console_fd, struct error *err)
{
    *stdio = (struct stdio){ .is_terminal = true, .output_fd = { console_fd, -1 } };
    stdio->input_fd = fcntl(console_fd, F_DUPFD_CLOEXEC, 3);
    int rc =
        stdio->input_fd < 0 ? -errno : set_nonblocking(console_fd); /* the duplicate shares it */
    if (rc >= 0)
        return 0;
    stdio_close(stdio);
    return fail_sys(err, rc, "cannot use the terminal");
}

void stdio_close(struct stdio *stdio)
{
    sys_close_fd(&stdio->input_fd);
    sys_close_fd(&stdio->output_fd[0]);
    sys_close_fd(&stdio->output_fd[1]);
}

ssize_t stdio_read(const struct stdio *stdio, int stream, char *data, size_t size)
{
    return sys_read(stdio->output_fd[stream], data, size);
}

void stdio_close_output(struct stdio *stdio, int stream)
{
    sys_close_fd(&stdio->output_fd[stream]);
}

bool stdio_wants_input(const struct stdio *stdio)
{
    return stdio->input_size == 0;
}

/* Input for a process that has none, or has it no more, is taken and forgotten. */
ssize_t stdio_receive(struct stdio *stdio, int socket_fd)
{
    ssize_t got = recv(socket_fd, stdio->input, sizeof(stdio->input), MSG_DONTWAIT);

    if (got < 0)
        return -errno;
    if (got > 0 && stdio->input_fd >= 0 && !stdio->input_is_ending) {
        stdio->input_used = 0;
        stdio->input_size = (size_t)got;
        stdio_flush_input(stdio);
    }
    return got;
}

void stdio_flush_input(struct stdio *stdio)
{
    while (stdio->input_used < stdio->input_size) {
        ssize_t put = sys_write(stdio->input_fd, stdio->input + stdio->input_used,
                                stdio->input_size - stdio->input_used);
        if (put == -EAGAIN)
            return;
        if (put < 0) { /* a pipe that nobody will read; a terminal may have a reader again */
            stdio->input_is_over = !stdio->is_terminal;
            break;
        }
        stdio->input_used += (size_t)put;
    }
    stdio->input_used = 0;
    stdio->input_size = 0;
    if (stdio->input_is_ending)
        stdio->input_is_over = true;
}

void stdio_end_input(struct stdio *stdio)
{
    if (stdio->is_terminal || stdio->input_fd < 0)
        return;
    stdio->input_is_ending = true;
    stdio_flush_input(stdio);
}

bool stdio_input_is_over(const struct stdio *stdio)
{
    return stdio->input_fd >= 0 && stdio->input_is_over;
}

void stdio_close_input(struct stdio *stdio)
{
    sys_close_fd(&stdio->input_fd);
}

int stdio_resize(const struct stdio *stdio, int rows, int columns, struct error *err)
{
    struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

    if (!stdio->is_terminal)
        return fail(err, ERR_CONFLICT, "the process has no terminal");
    if (stdio->output_fd[0] < 0)
        return fail(err, ERR_CONFLICT, "the terminal is closed");
    if (rows < 0 || rows > 65535 || columns < 0 || columns > 65535)
        return fail(err, ERR_INVALID, "a terminal of %d by %d is not possible", rows, columns);
    int rc = sys_ioctl(stdio->output_fd[0], TIOCSWINSZ, &size);
    return rc < 0 ? fail_sys(err, rc, "cannot resize the terminal") : 0;
}

static int make_pipes(struct stdio *stdio, bool has_input, int theirs[3])
{
    int rc = 0;

    if (has_input)
        rc = make_pipe(&theirs[0], &stdio->input_fd);
    else
        rc = theirs[0] = sys_openat(AT_FDCWD, "/dev/null", O_RDONLY, 0);
    if (rc >= 0 && has_input)
        rc = set_nonblocking(stdio->input_fd);
    for (int i = 0; rc >= 0 && i < 2; i++) {
        rc = make_pipe(&stdio->output_fd[i], &theirs[i + 1]);
        if (rc >= 0)
            rc = set_nonblocking(stdio->output_fd[i]);
    }
    return rc;
}

static int make_pipe(int *read_fd, int *write_fd)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    *read_fd = fds[0];
    *write_fd = fds[1];
    return 0;
}

static int set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}
