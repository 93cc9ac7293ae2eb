/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All signals are blocked and waited for.  The program has a process group and the terminal to
 * itself, so that keys of the terminal reach it alone, and once.
 */
#include "runner/supervise/reaper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/path.h"

#define REAPER_NAME "docker-init"

#define EXIT_CANNOT_EXECUTE 126
#define EXIT_NOT_FOUND      127
#define EXIT_BY_SIGNAL      128

static void execute(char **argv, const sigset_t *mask) __attribute__((noreturn));
static void take_terminal(void);
static int wait_for_program(pid_t program, const sigset_t *all);
static int reap(pid_t program);

bool reaper_is_meant(const char *program_name)
{
    return strcmp(path_base(program_name), REAPER_NAME) == 0;
}

int reaper_run(char **argv)
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all); /* as the next, cannot fail */
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid < 0) {
        (void)fprintf(stderr, "cannot fork: %s\n", strerrordesc_np(errno));
        return EXIT_CANNOT_EXECUTE;
    }
    if (pid == 0)
        execute(argv, &before);
    return wait_for_program(pid, &all);
}

static void execute(char **argv, const sigset_t *mask)
{
    (void)setpgid(0, 0); /* fails only for a session's leader, which we are not */
    take_terminal();
    (void)sigprocmask(SIG_SETMASK, mask, NULL); /* cannot fail */
    (void)execvp(argv[0], argv);
    (void)fprintf(stderr, "exec: \"%s\": %s\n", argv[0], strerrordesc_np(errno));
    _exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE);
}

/* From the background, which SIGTTOU would stop were it not blocked.  No terminal: no matter. */
static void take_terminal(void)
{
    (void)tcsetpgrp(STDIN_FILENO, getpgrp());
}

static int wait_for_program(pid_t program, const sigset_t *all)
{
    for (int status = -1;;) {
        siginfo_t info;
        int number = sigwaitinfo(all, &info);
        if (number == SIGCHLD)
            status = reap(program);
        else if (number > 0)
            (void)kill(program, number); /* not reaped yet, so it is still the program */
        if (status >= 0)
            return status;
    }
}

/* One signal may stand for many children.  -1: the program is not among them. */
static int reap(pid_t program)
{
    int found = -1;
    int status = 0;

    for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        if (pid == program)
            found = WIFSIGNALED(status) ? EXIT_BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
    return found;
}
