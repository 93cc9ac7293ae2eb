/* SPDX-License-Identifier: Apache-2.0 */
/* posix_spawn(3) with a pipe for the output. */
#include "runtime/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/sys.h"

#define PIECE_SIZE  16384
#define FD_SAFE_MIN 512 /* above all the places that descriptors are handed over to */

static int start(const struct program *program, int output_fd, pid_t *pid);
static char **copy_words(const char *const *words);
static int add_fds(posix_spawn_file_actions_t *actions, const struct program *program, int *safe);
static int collect(const struct program *program, int fd, pid_t pid, size_t max_bytes,
                   struct buf *output, struct error *err);
static int take(int fd, size_t max_bytes, struct buf *output);
static int await(pid_t pid);

int program_run(const struct program *program, size_t max_bytes, struct buf *output, int *exit_code,
                struct error *err)
{
    int ends[2] = { -1, -1 };
    pid_t pid = -1;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail_sys(err, -errno, "cannot make a pipe");
    cleanup_fd int read_fd = ends[0];
    int rc = fcntl(read_fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
    rc = rc < 0 ? rc : start(program, ends[1], &pid);
    sys_close_fd(&ends[1]);
    if (rc < 0)
        return fail_sys(err, rc, "cannot run '%s'", program->argv[0]);
    rc = collect(program, read_fd, pid, max_bytes, output, err);
    if (rc < 0)
        (void)kill(pid, SIGKILL); /* our child, not yet waited for */
    *exit_code = await(pid);
    return rc;
}

static int start(const struct program *program, int output_fd, pid_t *pid)
{
    static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    static char locale[] = "LC_ALL=C";
    char *environment[] = { path, locale, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;

    (void)sigemptyset(&none);
    (void)posix_spawnattr_init(&attributes); /* these fail only without memory */
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, output_fd, 1);
    (void)posix_spawn_file_actions_adddup2(&actions, output_fd, 2);
    char **argv = copy_words(program->argv);
    int *safe = mem_alloc((program->fd_count + 1) * sizeof(*safe));
    int rc = add_fds(&actions, program, safe);

    if (rc == 0) /* ours are closed on execution; a library's may not be */
        rc = -posix_spawn_file_actions_addclosefrom_np(&actions,
                                                       PROGRAM_FD_FIRST + (int)program->fd_count);
    if (rc == 0)
        rc = -posix_spawnp(pid, argv[0], &actions, &attributes, argv, environment);
    for (size_t i = 0; i < program->fd_count; i++)
        sys_close_fd(&safe[i]);
    free(safe);
    free(argv);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return rc;
}

/* posix_spawn does not write to the words, but its type would let it. */
static char **copy_words(const char *const *words)
{
    size_t count = 0;

    while (words[count] != NULL)
        count++;
    char **copy = mem_alloc((count + 1) * sizeof(*copy));
    memcpy(copy, words, (count + 1) * sizeof(*copy));
    return copy;
}

/* Copies far away from the places they go to, so that none overwrites one still to be moved. */
static int add_fds(posix_spawn_file_actions_t *actions, const struct program *program, int *safe)
{
    int rc = 0;

    for (size_t i = 0; i < program->fd_count; i++)
        safe[i] = -1;
    for (size_t i = 0; i < program->fd_count && rc == 0; i++) {
        safe[i] = fcntl(program->fds[i], F_DUPFD_CLOEXEC, FD_SAFE_MIN);
        if (safe[i] < 0)
            rc = -errno;
        else
            rc = -posix_spawn_file_actions_adddup2(actions, safe[i], PROGRAM_FD_FIRST + (int)i);
    }
    return rc;
}

/*
 * Until the program has ended: others may hold its output open for longer.  poll looks at the
 * output first, hence the taking after the end.
 */
static int collect(const struct program *program, int fd, pid_t pid, size_t max_bytes,
                   struct buf *output, struct error *err)
{
    int64_t until_ms = clock_mono_ms() + program->timeout_ms;
    cleanup_fd int pidfd = sys_pidfd_open(pid);
    struct pollfd polls[] = {
        { .fd = fd, .events = POLLIN },
        { .fd = pidfd, .events = POLLIN },
    };

    if (pidfd < 0)
        return fail_sys(err, pidfd, "cannot watch '%s'", program->argv[0]);
    while (polls[1].revents == 0) {
        int64_t left_ms = until_ms - clock_mono_ms();
        left_ms = program->timeout_ms == 0 ? -1 : left_ms < 0 ? 0 : left_ms;
        if (poll(polls, ARRAY_SIZE(polls), (int)left_ms) == 0)
            return fail(err, ERR_TIMEOUT, "'%s' takes too long", program->argv[0]);
        int rc = take(fd, max_bytes, output);
        if (rc < 0)
            return fail_sys(err, rc, "cannot read a program's output");
        if (rc == 0)
            polls[0].fd = -1; /* closed: only its end is still to come */
        if (output->size > max_bytes)
            return fail(err, ERR_INVALID, "a program wrote more than %zu bytes", max_bytes);
    }
    return 0;
}

/* What there is now, or a little more than is allowed.  0: there will be no more. */
static int take(int fd, size_t max_bytes, struct buf *output)
{
    ssize_t got = 1;

    while (got > 0 && output->size <= max_bytes) {
        char *room = buf_reserve(output, PIECE_SIZE);
        got = sys_read(fd, room, PIECE_SIZE);
        output->size += got > 0 ? (size_t)got : 0;
        buf_append(output, "", 0); /* ends it, as text */
    }
    return got == -EAGAIN ? 1 : (int)got;
}

static int await(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
