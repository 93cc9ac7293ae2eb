/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's beginning: away from the caller, into the box, and the word to the caller that
 * all is there.  What it then does is supervise_loop.c's.
 */
#include "runner/supervise/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "runner/supervise/supervise_state.h"

#define REPORT_MAX (ERROR_MESSAGE_MAX + 64)

static int hear_report(int fd, struct error *err);
static void supervisor_main(const struct supervise_options *options, int report_fd)
    __attribute__((noreturn));
static int detach(struct error *err);
static int set_up(struct supervisor *supervisor, int report_fd, int *listen_fd, struct error *err);
static int take_over(struct supervisor *supervisor, struct error *err);
static void report(int fd, const struct error *err);
static void drop_preserved(int count);

int supervise_run(const struct supervise_options *options, struct error *err)
{
    int report_fds[2];

    if (pipe2(report_fds, O_CLOEXEC) < 0)
        return fail_sys(err, -errno, "cannot make a pipe");
    cleanup_fd int ours = report_fds[0];
    cleanup_fd int theirs = report_fds[1];
    pid_t pid = fork();
    if (pid < 0)
        return fail_sys(err, -errno, "cannot fork the supervisor");
    if (pid == 0) {
        sys_close_fd(&ours);
        supervisor_main(options, move_fd(&theirs));
    }
    sys_close_fd(&theirs);
    return hear_report(ours, err);
}

/* "ok", or "CODE message". */
static int hear_report(int fd, struct error *err)
{
    char text[REPORT_MAX];
    ssize_t size = sys_read(fd, text, sizeof(text) - 1); /* written at once: never short */

    text[size < 0 ? 0 : size] = '\0';
    if (strcmp(text, "ok") == 0)
        return 0;
    char *message = strchr(text, ' ');
    if (message == NULL)
        return fail(err, ERR_SYSTEM, "the supervisor ended early");
    *message++ = '\0';
    return fail(err, error_code_find(text), "%s", message);
}

static void supervisor_main(const struct supervise_options *options, int report_fd)
{
    static struct supervisor supervisor; /* large, and most of it never touched */
    struct error err = { 0 };
    int listen_fd = -1;

    supervisor.options = options;
    if (detach(&err) < 0 || set_up(&supervisor, report_fd, &listen_fd, &err) < 0) {
        report(report_fd, &err);
        _exit(1);
    }
    report(report_fd, NULL);
    (void)close(report_fd); /* the caller has what it waited for */
    (void)setsid(); /* fails only for a leader; late, as a new scheduling group begins by waiting */
    if (chdir("/") < 0) /* the box must not be busy for our sake; always there */
        _exit(1);
    int rc = loop_run(&supervisor, listen_fd, &err);
    _exit(rc < 0);
}

static int detach(struct error *err)
{
    sigset_t all;
    cleanup_fd int null_fd = sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);

    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL); /* cannot fail; SIGCHLD comes by signalfd */
    (void)prctl(PR_SET_NAME, "supervise", 0, 0, 0);
    for (int fd = 0; null_fd >= 0 && fd < 3; fd++)
        if (dup2(null_fd, fd) < 0)
            return fail_sys(err, -errno, "cannot leave the caller's streams");
    if (null_fd < 0)
        return fail_sys(err, null_fd, "cannot open '/dev/null'");
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        return fail_sys(err, -errno, "cannot become a subreaper");
    return 0;
}

static int set_up(struct supervisor *supervisor, int report_fd, int *listen_fd, struct error *err)
{
    const struct supervise_options *options = supervisor->options;

    if (box_open(&supervisor->box, options->dir, err) < 0)
        return -1;
    if (maker_run(options, report_fd, &supervisor->made, err) < 0) {
        box_leave(&supervisor->box);
        return -1;
    }
    drop_preserved(options->preserve_fds);
    *listen_fd = take_over(supervisor, err);
    if (*listen_fd >= 0)
        return 0;
    maker_undo(options, &supervisor->made);
    box_leave(&supervisor->box);
    return -1;
}

/* Returns the listening socket. */
static int take_over(struct supervisor *supervisor, struct error *err)
{
    const struct supervise_options *options = supervisor->options;
    struct made *made = &supervisor->made;
    struct rlimit files = { 0 };

    supervisor->pidfd = sys_pidfd_open(made->pid);
    if (supervisor->pidfd < 0)
        return fail_sys(err, supervisor->pidfd, "cannot watch process %d", (int)made->pid);
    supervisor->freezer = (struct freezer){
        .kind = made->freezer_kind,
        .control_fd = made->fds[MADE_FREEZER],
        .event_fd = made->fds[MADE_FREEZER_EVENT],
    };
    supervisor->log.format = made->log_format;
    supervisor->log.dirfd = supervisor->box.fd;
    supervisor->log.max_bytes = options->log_max_bytes;
    supervisor->log.max_files = options->log_max_files;
    if (made->fds[MADE_CONSOLE] >= 0) {
        if (stdio_use_terminal(&supervisor->stdio, made->fds[MADE_CONSOLE], err) < 0)
            return -1;
    } else {
        stdio_use_pipes(&supervisor->stdio, made->fds[MADE_INPUT], &made->fds[MADE_STDOUT]);
    }
    if (log_file_open(&supervisor->log, err) < 0)
        return -1;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files); /* fewer clients then */
    }
    return box_listen(&supervisor->box, err);
}

static void report(int fd, const struct error *err)
{
    char text[REPORT_MAX];

    if (err == NULL)
        (void)snprintf(text, sizeof(text), "ok");
    else
        (void)snprintf(text, sizeof(text), "%s %s", error_code_name(err->code), err->message);
    (void)sys_write_all(fd, text, strlen(text)); /* a caller that is gone needs no report */
}

/* The mount sources are mounted by now. */
static void drop_preserved(int count)
{
    if (count > 0)
        (void)close_range(3, (unsigned int)(3 + count - 1), 0); /* cannot fail */
}
