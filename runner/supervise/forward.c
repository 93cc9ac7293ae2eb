/* SPDX-License-Identifier: Apache-2.0 */
/* One poll loop over signals and two ends of a terminal. */
#include "runner/supervise/forward.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/sys.h"
#include "runner/container/notify.h"

struct forward {
    pid_t pid;
    int console_fd;
    int signal_fd;
    int input_fd; /* -1 once it has ended */
    struct termios saved;
    bool is_raw;
    int status; /* -1 until it has ended */
};

static void turn(struct forward *forward, int console_fd, int notify_fd);
static int open_signals(struct error *err);
static void make_raw(struct forward *forward);
static void copy_size(const struct forward *forward);
static void take_signal(struct forward *forward);
static void reap(struct forward *forward);
static bool copy(int from_fd, int to_fd);
static void drain(const struct forward *forward);

int forward_until_end(pid_t pid, int console_fd, int notify_fd, struct error *err)
{
    struct forward forward = { .pid = pid, .console_fd = console_fd, .input_fd = -1, .status = -1 };
    cleanup_fd int signal_fd = open_signals(err);

    if (signal_fd < 0)
        return -1;
    forward.signal_fd = signal_fd;
    if (console_fd >= 0) {
        forward.input_fd = STDIN_FILENO;
        make_raw(&forward);
        copy_size(&forward);
    }
    reap(&forward); /* it may have ended before the signals were blocked */
    while (forward.status < 0)
        turn(&forward, console_fd, notify_fd);
    drain(&forward);
    if (forward.is_raw)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &forward.saved); /* the terminal may be gone */
    return forward.status;
}

/* Waits for something to pass on, and does. */
static void turn(struct forward *forward, int console_fd, int notify_fd)
{
    struct pollfd polls[] = {
        { .fd = forward->signal_fd, .events = POLLIN },
        { .fd = forward->console_fd, .events = POLLIN },
        { .fd = forward->input_fd, .events = POLLIN },
        { .fd = notify_fd, .events = POLLIN },
    };

    if (poll(polls, ARRAY_SIZE(polls), -1) < 0)
        return;
    if (polls[0].revents != 0)
        take_signal(forward);
    if (polls[1].revents != 0 && !copy(forward->console_fd, STDOUT_FILENO))
        forward->console_fd = -1;
    if (polls[2].revents != 0 && !copy(forward->input_fd, console_fd))
        forward->input_fd = -1;
    if (polls[3].revents != 0)
        (void)notify_forward(notify_fd, 0); /* we stay, and are the main process */
}

static int open_signals(struct error *err)
{
    sigset_t all;

    (void)sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
        return fail_sys(err, -errno, "cannot block signals");
    int fd = signalfd(-1, &all, SFD_CLOEXEC);
    return fd < 0 ? fail_sys(err, -errno, "cannot open a signalfd") : fd;
}

static void make_raw(struct forward *forward)
{
    struct termios raw;

    if (tcgetattr(STDIN_FILENO, &forward->saved) < 0)
        return; /* not a terminal */
    raw = forward->saved;
    cfmakeraw(&raw);
    forward->is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static void copy_size(const struct forward *forward)
{
    struct winsize size;

    if (forward->console_fd >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
        (void)ioctl(forward->console_fd, TIOCSWINSZ, &size); /* its end is noticed by poll */
}

static void take_signal(struct forward *forward)
{
    struct signalfd_siginfo info;

    if (sys_read(forward->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    if (info.ssi_signo == SIGCHLD)
        reap(forward);
    else if (info.ssi_signo == SIGWINCH)
        copy_size(forward);
    else if (info.ssi_signo != SIGPIPE)
        (void)kill(forward->pid, (int)info.ssi_signo); /* not reaped yet: still our child */
}

static void reap(struct forward *forward)
{
    int status;
    pid_t pid;

    while (forward->status < 0 && (pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
        if (pid == forward->pid)
            forward->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static bool copy(int from_fd, int to_fd)
{
    char data[8192];
    ssize_t size = sys_read(from_fd, data, sizeof(data));

    return size > 0 && sys_write_all(to_fd, data, (size_t)size) >= 0;
}

static void drain(const struct forward *forward)
{
    struct pollfd poll_fd = { .fd = forward->console_fd, .events = POLLIN };

    while (forward->console_fd >= 0 && poll(&poll_fd, 1, 0) > 0)
        if (!copy(forward->console_fd, STDOUT_FILENO))
            return;
}
