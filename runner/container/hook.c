/* SPDX-License-Identifier: Apache-2.0 */
/* Running one program with a timeout and its stderr at hand for the message. */
#include "runner/container/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/sys.h"

#define OUTPUT_MAX 256

static const char *const kind_names[HOOK_KINDS] = {
    [HOOK_PRESTART] = "prestart",
    [HOOK_CREATE_RUNTIME] = "createRuntime",
    [HOOK_CREATE_CONTAINER] = "createContainer",
    [HOOK_START_CONTAINER] = "startContainer",
    [HOOK_POSTSTART] = "poststart",
    [HOOK_POSTSTOP] = "poststop",
};

static int run_one(const struct hook *hook, int state_fd, struct error *err);
static void exec_hook(const struct hook *hook, int state_fd, int output_fd)
    __attribute__((noreturn));
static int wait_for(pid_t pid, const struct hook *hook, int *status);
static int fail_status(int status, int output_fd, struct error *err);

int hooks_run(const struct array hooks[HOOK_KINDS], enum hook_kind kind, const json_t *state,
              struct error *err)
{
    cleanup_buf struct buf text = { 0 };

    if (hooks[kind].count == 0)
        return 0;
    json_append(&text, state);
    for (size_t i = 0; i < hooks[kind].count; i++) {
        const struct hook *hook = ARRAY_ITEM(hooks[kind], const struct hook, i);
        cleanup_fd int state_fd = memfd_create("state", MFD_CLOEXEC);
        int rc = state_fd < 0 ? -errno : sys_write_all(state_fd, text.data, text.size);
        if (rc < 0)
            return fail_sys(err, rc, "cannot pass the state to a hook");
        (void)lseek(state_fd, 0, SEEK_SET); /* a memfd can be sought in */
        if (run_one(hook, state_fd, err) < 0)
            return error_prefix(err, "error running %s hook #%zu", kind_names[kind], i);
    }
    return 0;
}

static int run_one(const struct hook *hook, int state_fd, struct error *err)
{
    cleanup_fd int output_fd = memfd_create("stderr", MFD_CLOEXEC);
    int status = 0;
    pid_t pid = output_fd < 0 ? -1 : fork();

    if (pid < 0)
        return fail_sys(err, -errno, "cannot run '%s'", hook->path);
    if (pid == 0)
        exec_hook(hook, state_fd, output_fd);
    int rc = wait_for(pid, hook, &status);
    if (rc == -ETIMEDOUT)
        return fail(err, ERR_TIMEOUT, "'%s' ran longer than %lld s", hook->path,
                    (long long)hook->timeout.value);
    if (rc < 0)
        return fail_sys(err, rc, "cannot wait for '%s'", hook->path);
    return status == 0 ? 0 : fail_status(status, output_fd, err);
}

static void exec_hook(const struct hook *hook, int state_fd, int output_fd)
{
    static char *const no_env[] = { NULL };
    char *argv_default[] = { NULL, NULL };
    char *const *argv = argv_default;
    char *const *env = no_env;
    sigset_t none;

    (void)sigemptyset(&none); /* as below, cannot fail */
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    memcpy(&argv_default[0], &hook->path, sizeof(hook->path)); /* execve only reads */
    if (hook->args != NULL && hook->args[0] != NULL)
        memcpy(&argv, &hook->args, sizeof(argv));
    if (hook->env != NULL)
        memcpy(&env, &hook->env, sizeof(env));
    if (dup2(state_fd, 0) < 0 || dup2(output_fd, 2) < 0)
        _exit(127);
    (void)execve(hook->path, argv, env);
    dprintf(2, "%s", strerrordesc_np(errno));
    _exit(127);
}

static int wait_for(pid_t pid, const struct hook *hook, int *status)
{
    int64_t deadline_ms = clock_mono_ms() + hook->timeout.value * 1000;
    cleanup_fd int pidfd = hook->timeout.is_set ? sys_pidfd_open(pid) : -1;
    int rc = 0;

    if (pidfd >= 0) {
        struct pollfd ended = { .fd = pidfd, .events = POLLIN };
        int64_t left_ms;
        do
            left_ms = deadline_ms - clock_mono_ms();
        while (left_ms > 0 && poll(&ended, 1, (int)left_ms) <= 0);
        if (left_ms <= 0) {
            (void)kill(pid, SIGKILL); /* our child, not reaped */
            rc = -ETIMEDOUT;
        }
    }
    while (waitpid(pid, status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return rc;
}

static int fail_status(int status, int output_fd, struct error *err)
{
    char output[OUTPUT_MAX] = "";
    ssize_t size = pread(output_fd, output, sizeof(output) - 1, 0);

    while (size > 0 && output[size - 1] == '\n')
        output[--size] = '\0';
    if (WIFSIGNALED(status))
        return fail(err, ERR_SYSTEM, "signal: %s, stdout: , stderr: %s",
                    sigdescr_np(WTERMSIG(status)), output);
    return fail(err, ERR_SYSTEM, "exit status %d, stdout: , stderr: %s", WEXITSTATUS(status),
                output);
}
