/* SPDX-License-Identifier: Apache-2.0 */
/* create, run, start, supervise, reaper: commands that bring a container to life. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "base/units.h"
#include "runner/command/command.h"
#include "runner/container/notify.h"
#include "runner/process/console.h"
#include "runner/spec/spec.h"
#include "runner/supervise/forward.h"
#include "runner/supervise/reaper.h"
#include "runner/supervise/supervise.h"

#define SOCKETS_MAX 1024

static int supervise(const struct options *options, struct error *err);
static int make(struct arena *mem, const struct options *options, bool without_fifo,
                struct container **container, struct error *err);
static int passed_sockets(void);

int command_create(struct arena *mem, struct options *options, struct error *err)
{
    struct container *container = NULL;
    int rc = make(mem, options, false, &container, err);

    container_close(container);
    return rc;
}

int command_start(struct arena *mem, struct options *options, struct error *err)
{
    cleanup_container struct container *container = NULL;

    if (command_open(mem, options, &container, err) < 0)
        return -1;
    return container_start(container, err);
}

/* In front: forwards signals, waits, deletes; -d leaves all that to the caller. */
int command_run(struct arena *mem, struct options *options, struct error *err)
{
    cleanup_container struct container *container = NULL;
    struct error ignored; /* its exit status is what the caller asked for */

    if (!options->without_subreaper)
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* cannot fail */
    if (make(mem, options, true, &container, err) < 0 || container == NULL)
        return -1;
    if (options->is_detached) {
        if (container->notify_fd >= 0)
            notify_await_ready(container->notify_fd, container->pidfd, container->pid);
        return 0;
    }
    int status =
        forward_until_end(container->pid, container->console_fd, container->notify_fd, err);
    sys_close_fd(&container->pidfd); /* reaped: nothing to be asked for */
    if (status >= 0 && !options->is_kept)
        (void)container_delete(container, true, &ignored);
    return status;
}

/* The caller is a program, which branches on the code: a line of its own instead of main's. */
int command_supervise(struct arena *mem, struct options *options, struct error *err)
{
    struct error failure = { 0 };

    (void)mem;
    (void)err;
    if (supervise(options, &failure) == 0)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "error %s %s\n", error_code_name(failure.code), failure.message);
    return EXIT_FAILURE;
}

int command_reaper(struct arena *mem, struct options *options, struct error *err)
{
    (void)mem;
    (void)err;
    return reaper_run(options->args);
}

static int supervise(const struct options *options, struct error *err)
{
    struct supervise_options supervise_options = {
        .root = options->root,
        .id = options->args[0],
        .dir = options->is_exec ? options->dir : options->bundle,
        .process_file = options->process,
        .cgroup_manager = options->cgroup_manager,
        .is_exec = options->is_exec,
        .has_input = options->has_stdin,
        .preserve_fds = (int)options->preserve_fds,
        .log_max_bytes = options->log_max_bytes,
        .log_max_files = options->log_max_files,
    };

    if (supervise_options.dir == NULL)
        return fail(err, ERR_INVALID, "supervise needs %s",
                    options->is_exec ? "--dir" : "--bundle");
    if (supervise_options.is_exec && supervise_options.process_file == NULL)
        return fail(err, ERR_INVALID, "supervise --exec needs --process");
    return supervise_run(&supervise_options, err);
}

static int make(struct arena *mem, const struct options *options, bool without_fifo,
                struct container **container, struct error *err)
{
    struct container_options container_options = {
        .root = options->root,
        .id = options->args[0],
        .bundle = options->bundle != NULL ? options->bundle : ".",
        .pid_file = options->pid_file,
        .cgroup_manager = options->cgroup_manager,
        .without_pivot = options->without_pivot,
        .without_keyring = options->without_keyring,
        .without_fifo = without_fifo,
        .preserve_fds = (int)options->preserve_fds,
        .stdio = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO },
        .stdio_owner = (uid_t)-1,
    };
    struct error ignored; /* the first error is the one to tell */
    struct spec *spec = NULL;

    container_options.listen_fds = passed_sockets();
    container_options.preserve_fds += container_options.listen_fds;
    if (spec_read(mem, container_options.bundle, options->config, &spec, err) < 0)
        return -1;
    if (spec->process->terminal && options->console_socket == NULL && options->is_detached)
        return fail(err, ERR_INVALID,
                    "cannot allocate tty if runc will detach without setting console socket");
    container_options.stdio_owner = spec->process->uid;
    container_options.notifies = notify_host_socket() != NULL;
    if (container_options.notifies &&
        notify_add(mem, spec, container_options.root, container_options.id, err) < 0)
        return -1;
    int rc = container_create(mem, &container_options, spec, container, err);
    if (rc == 0 && command_hand_over(options, *container, err) < 0) {
        (void)container_delete(*container, true, &ignored);
        rc = -1;
    }
    spec_close(spec);
    return rc;
}

/* Sockets by the protocol of sd_listen_fds(3), if it is us that they were meant for. */
static int passed_sockets(void)
{
    const char *pid_text = getenv("LISTEN_PID");
    const char *count_text = getenv("LISTEN_FDS");
    int64_t pid = 0;
    int64_t count = 0;

    if (pid_text == NULL || count_text == NULL || units_parse_int(pid_text, &pid) < 0 ||
        units_parse_int(count_text, &count) < 0 || pid != getpid() || count < 0 ||
        count > SOCKETS_MAX)
        return 0;
    return (int)count;
}

int command_hand_over(const struct options *options, struct container *container, struct error *err)
{
    if (options->pidfd_socket != NULL &&
        console_send_as(options->pidfd_socket, "pidfd", container->pidfd, err) < 0)
        return -1;
    if (container->console_fd < 0 || options->console_socket == NULL)
        return 0;
    int rc = console_send(options->console_socket, container->console_fd, err);
    sys_close_fd(&container->console_fd);
    return rc;
}
