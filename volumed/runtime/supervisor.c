/* SPDX-License-Identifier: Apache-2.0 */
/* Request lines out, answer lines in. */
#include "runtime/supervisor.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/sys.h"
#include "base/units.h"

#define SOCKET_NAME       "ctl.sock"
#define ANSWER_MAX_BYTES  (1 << 20)
#define ANSWER_TIMEOUT_MS 30000
#define SPAWN_TIMEOUT_MS  120000
#define OUTPUT_MAX_BYTES  65536
#define PIECE_SIZE        4096

static int connect_to(int dirfd, struct error *err);
static int open_stream(int dirfd, const char *request, struct error *err);
static int ask(int fd, const char *request, struct buf *answer, struct error *err);
static int read_line(int fd, struct buf *line, struct error *err);
static int take_line(int fd, struct buf *line, struct error *err);
static int read_error(const char *answer, struct error *err);
static int read_spawn_error(const char *answer, struct error *err);

int supervisor_spawn(const struct program *runner, struct error *err)
{
    struct program limited = *runner;
    cleanup_buf struct buf output = { 0 };
    int exit_code;

    if (limited.timeout_ms == 0)
        limited.timeout_ms = SPAWN_TIMEOUT_MS; /* killed, it takes back what it made */
    if (program_run(&limited, OUTPUT_MAX_BYTES, &output, &exit_code, err) < 0)
        return -1;
    if (exit_code == 0)
        return 0;
    while (output.size > 0 && output.data[output.size - 1] == '\n')
        output.data[--output.size] = '\0';
    /* Warnings may stand before it. */
    const char *line = output.data == NULL ? "" : output.data;
    for (const char *next = strstr(line, "\nerror "); next != NULL; next = strstr(line, "\nerror "))
        line = next + 1;
    if (strncmp(line, "error ", 6) == 0)
        return read_spawn_error(line + 6, err);
    if (line[0] != '\0')
        return fail(err, ERR_SYSTEM, "%s", line);
    return fail(err, ERR_SYSTEM, "the runner failed with %d", exit_code);
}

int supervisor_ask(int dirfd, const char *request, struct buf *answer, struct error *err)
{
    cleanup_buf struct buf line = { 0 };
    cleanup_fd int fd = connect_to(dirfd, err);

    if (fd < 0 || ask(fd, request, &line, err) < 0)
        return -1;
    if (answer != NULL)
        buf_text(answer, line.size > 3 ? line.data + 3 : "");
    return 0;
}

int supervisor_attach(int dirfd, const char *streams, struct error *err)
{
    cleanup_buf struct buf request = { 0 };

    buf_printf(&request, "attach %s", streams);
    return open_stream(dirfd, request.data, err);
}

int supervisor_watch(int dirfd, struct error *err)
{
    return open_stream(dirfd, "watch", err);
}

int supervisor_freeze(int dirfd, int64_t timeout_ms, struct error *err)
{
    cleanup_buf struct buf request = { 0 };

    buf_printf(&request, "freeze %lld", (long long)timeout_ms);
    return open_stream(dirfd, request.data, err);
}

int supervisor_hold(const char *runner_path, const char *const *groups, int note, struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    cleanup_buf struct buf output = { 0 };
    size_t count = 0;
    int ends[2];
    int exit_code = 0;

    while (groups[count] != NULL)
        count++;
    const char **argv = arena_array(mem, count + 3, sizeof(*argv));
    argv[0] = runner_path;
    argv[1] = "hold";
    memcpy(&argv[2], groups, count * sizeof(*argv));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return fail_sys(err, -errno, "cannot make a connection");
    cleanup_fd int ours = ends[0];
    cleanup_fd int theirs = ends[1];
    const int fds[] = { theirs, note };
    const struct program runner = {
        .argv = argv,
        .fds = fds,
        .fd_count = note >= 0 ? 2 : 1,
        .timeout_ms = ANSWER_TIMEOUT_MS,
    };
    if (program_run(&runner, OUTPUT_MAX_BYTES, &output, &exit_code, err) < 0)
        return -1;
    if (exit_code != 0)
        return fail(err, ERR_UNSUPPORTED, "cannot hold control groups: %s",
                    output.data != NULL ? output.data : "the runner failed");
    return move_fd(&ours);
}

int supervisor_hold_freeze(int lease, int64_t timeout_ms, struct error *err)
{
    cleanup_buf struct buf request = { 0 };
    cleanup_buf struct buf answer = { 0 };

    buf_printf(&request, "freeze %lld", (long long)timeout_ms);
    return ask(lease, request.data, &answer, err);
}

int supervisor_hold_release(int lease, struct error *err)
{
    cleanup_buf struct buf answer = { 0 };

    return ask(lease, "release", &answer, err);
}

int supervisor_thaw(int lease, int64_t *pause_ns, struct error *err)
{
    cleanup_buf struct buf line = { 0 };
    cleanup_fd int fd = lease;

    if (ask(fd, "thaw", &line, err) < 0)
        return -1;
    if (line.size <= 3 || units_parse_int(line.data + 3, pause_ns) < 0)
        return fail(err, ERR_SYSTEM, "the supervisor said '%s' to thaw", line.data);
    return 0;
}

static int open_stream(int dirfd, const char *request, struct error *err)
{
    cleanup_buf struct buf line = { 0 };
    cleanup_fd int fd = connect_to(dirfd, err);

    if (fd < 0 || ask(fd, request, &line, err) < 0)
        return -1;
    return move_fd(&fd);
}

static int connect_to(int dirfd, struct error *err)
{
    int fd = sys_connect_unix_at(dirfd, SOCKET_NAME);

    if (fd == -ENOENT || fd == -ECONNREFUSED)
        return fail(err, ERR_CONFLICT, "it is not running");
    return fd < 0 ? fail_sys(err, fd, "cannot reach the supervisor") : fd;
}

static int ask(int fd, const char *request, struct buf *answer, struct error *err)
{
    cleanup_buf struct buf line = { 0 };

    buf_printf(&line, "%s\n", request);
    int rc = sys_write_all(fd, line.data, line.size);
    if (rc == -EPIPE || rc == -ECONNRESET)
        return fail(err, ERR_CONFLICT, "the supervisor has ended");
    if (rc < 0)
        return fail_sys(err, rc, "cannot ask the supervisor");
    if (read_line(fd, answer, err) < 0)
        return -1;
    assert(answer->data != NULL); /* there was a line, if an empty one */
    if (strncmp(answer->data, "error ", 6) == 0)
        return read_error(answer->data + 6, err);
    if (strncmp(answer->data, "ok", 2) != 0)
        return fail(err, ERR_SYSTEM, "the supervisor said '%s'", answer->data);
    return 0;
}

static int read_line(int fd, struct buf *line, struct error *err)
{
    int64_t until_ms = clock_mono_ms() + ANSWER_TIMEOUT_MS;
    int rc = 0;

    while (rc == 0) {
        struct pollfd pollfd = { .fd = fd, .events = POLLIN };
        int64_t left_ms = until_ms - clock_mono_ms();
        if (left_ms <= 0 || poll(&pollfd, 1, (int)left_ms) == 0)
            return fail(err, ERR_TIMEOUT, "the supervisor does not answer");
        rc = take_line(fd, line, err);
        if (rc == 0 && line->size > ANSWER_MAX_BYTES)
            return fail(err, ERR_SYSTEM, "the supervisor says too much");
    }
    return rc < 0 ? -1 : 0;
}

/*
 * 1: the line is whole.  What stands behind it belongs to a stream, so bytes are looked at before
 * they are taken.
 */
static int take_line(int fd, struct buf *line, struct error *err)
{
    char *room = buf_reserve(line, PIECE_SIZE);
    ssize_t got = recv(fd, room, PIECE_SIZE, MSG_PEEK);

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (got <= 0)
        return fail(err, ERR_CONFLICT, "the supervisor has ended");
    const char *newline = memchr(room, '\n', (size_t)got);
    size_t take = newline != NULL ? (size_t)(newline - room) + 1 : (size_t)got;
    ssize_t taken = sys_read(fd, room, take);
    if (taken < 0)
        return fail_sys(err, (int)taken, "cannot hear the supervisor");
    line->size += (size_t)taken;
    if (newline == NULL || (size_t)taken < take)
        return 0;
    line->data[--line->size] = '\0';
    return 1;
}

/* "CODE message" */
static int read_error(const char *answer, struct error *err)
{
    char code[32] = "";
    size_t length = strcspn(answer, " ");

    if (length < sizeof(code))
        memcpy(code, answer, length);
    return fail(err, error_code_find(code), "%s",
                answer[length] == ' ' ? answer + length + 1 : answer);
}

/*
 * What the runner did not find or may not use (a mount's source, a program) is not the object that
 * our own caller named.
 */
static int read_spawn_error(const char *answer, struct error *err)
{
    (void)read_error(answer, err);
    if (err->code == ERR_NOT_FOUND || err->code == ERR_DENIED)
        err->code = ERR_SYSTEM;
    return -1;
}
