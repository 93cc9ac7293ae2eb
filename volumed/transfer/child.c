/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spawning, feeding and reaping.  A report is a row of NUL-ended texts, key and value in turn, so
 * that paths travel as the bytes they are; it ends with "end", or "failed" and its reason.
 */
#include "transfer/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/sys.h"
#include "base/units.h"

/* Descriptors to be passed are first moved above all of the child's fixed numbers. */
#define SPARE_FD         (CHILD_FIRST_FD + CHILD_FDS_MAX)
#define REPORT_BYTES_MAX ((size_t)256 << 20)
#define REPORT_CHUNK     ((size_t)64 << 10)

struct ends {
    int input; /* what the child gets */
    int output;
    int report;
    int request;
};

static int open_ends(struct child *child, const struct child_spec *spec, struct ends *ends,
                     struct error *err);
static int open_stream(enum child_stream kind, int file_fd, bool is_input, int ends[2]);
static int write_request(const json_t *request);
static int spawn(struct child *child, const struct child_spec *spec, const struct ends *ends,
                 struct error *err);
static int pass_fds(posix_spawn_file_actions_t *actions, const struct child_spec *spec,
                    const struct ends *ends, int *spares);
static int pass_fd(posix_spawn_file_actions_t *actions, int fd, int number, int *spare);
static void ends_done(struct ends *ends);
static int read_report(int fd, struct buf *report);
static int reap(struct child *child, int *status);
static int judge(const struct buf *report, int status, struct error *err);

int child_start(struct child *child, const struct child_spec *spec, struct error *err)
{
    cleanup_child struct child started = CHILD_NONE;
    CLEANUP(ends_done) struct ends ends = { -1, -1, -1, -1 };

    assert(spec->fd_count <= CHILD_FDS_MAX);
    if (open_ends(&started, spec, &ends, err) < 0 || spawn(&started, spec, &ends, err) < 0)
        return -1;
    *child = started;
    started = CHILD_NONE;
    return 0;
}

int child_write(struct child *child, const void *data, size_t size, struct error *err)
{
    int rc = sys_write_all(child->input_fd, data, size);

    if (rc == -EPIPE)
        return 1;
    return rc < 0 ? fail_sys(err, rc, "cannot write to a confined child") : 0;
}

ssize_t child_read(struct child *child, void *data, size_t size, struct error *err)
{
    ssize_t got = sys_read(child->output_fd, data, size);

    return got < 0 ? fail_sys(err, (int)got, "cannot read from a confined child") : got;
}

int child_wait(struct child *child, struct buf *report, struct error *err)
{
    int status;

    sys_close_fd(&child->input_fd);
    int rc = read_report(child->report_fd, report);
    if (rc < 0)
        return fail_sys(err, rc, "cannot read a confined child's report");
    sys_close_fd(&child->output_fd);
    rc = reap(child, &status);
    child_done(child);
    if (rc < 0)
        return fail_sys(err, rc, "cannot wait for a confined child");
    return judge(report, status, err);
}

void child_done(struct child *child)
{
    int status;

    if (child->pid > 0) {
        (void)kill(child->pid, SIGKILL); /* ours until reaped, so the id is still its own */
        (void)reap(child, &status);      /* nobody asks how it ended */
    }
    sys_close_fd(&child->input_fd);
    sys_close_fd(&child->output_fd);
    sys_close_fd(&child->report_fd);
}

const char *report_get(const struct buf *report, const char *key)
{
    const char *name;
    const char *value;

    for (size_t position = 0; report_next(report, &position, &name, &value);)
        if (strcmp(name, key) == 0)
            return value;
    return NULL;
}

int report_get_int(const struct buf *report, const char *key, int64_t *value, struct error *err)
{
    const char *text = report_get(report, key);

    if (text == NULL || units_parse_int(text, value) < 0)
        return fail(err, ERR_SYSTEM, "a confined child's report lacks '%s'", key);
    return 0;
}

bool report_next(const struct buf *report, size_t *position, const char **key, const char **value)
{
    const char *texts[2];

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (*position >= report->size)
            return false;
        texts[i] = report->data + *position;
        *position += strlen(texts[i]) + 1; /* the buffer itself ends with a NUL */
    }
    *key = texts[0];
    *value = texts[1];
    return true;
}

static int open_ends(struct child *child, const struct child_spec *spec, struct ends *ends,
                     struct error *err)
{
    int report[2] = { -1, -1 };
    int input[2] = { -1, -1 };
    int output[2] = { -1, -1 };

    int rc = open_stream(spec->input, spec->input_fd, true, input);
    ends->input = input[0];
    child->input_fd = input[1];
    if (rc >= 0)
        rc = open_stream(spec->output, spec->output_fd, false, output);
    ends->output = output[1];
    child->output_fd = output[0];
    if (rc >= 0)
        rc = pipe2(report, O_CLOEXEC) < 0 ? -errno : 0;
    ends->report = report[1];
    child->report_fd = report[0];
    if (rc >= 0)
        rc = ends->request = write_request(spec->request);
    return rc < 0 ? fail_sys(err, rc, "cannot prepare a confined child") : 0;
}

/* ends[0] is for reading, ends[1] for writing; the parent's is -1 unless it is a pipe. */
static int open_stream(enum child_stream kind, int file_fd, bool is_input, int ends[2])
{
    int *own = is_input ? &ends[0] : &ends[1];

    switch (kind) {
    case CHILD_PIPE: return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
    case CHILD_FILE: *own = fcntl(file_fd, F_DUPFD_CLOEXEC, 0); break;
    case CHILD_NOTHING: *own = open("/dev/null", O_RDWR | O_CLOEXEC); break;
    }
    return *own < 0 ? -errno : 0;
}

static int write_request(const json_t *request)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *text = request == NULL ? "{}" : json_write(mem, request);
    cleanup_fd int fd = memfd_create("request", MFD_CLOEXEC);

    if (fd < 0)
        return -errno;
    int rc = sys_write_all(fd, text, strlen(text));
    if (rc < 0)
        return rc;
    return lseek(fd, 0, SEEK_SET) < 0 ? -errno : move_fd(&fd);
}

static int spawn(struct child *child, const struct child_spec *spec, const struct ends *ends,
                 struct error *err)
{
    cleanup_arena struct arena *mem = arena_new();
    char *const argv[] = { arena_strdup(mem, "volumed"), arena_strdup(mem, "confined"),
                           arena_strdup(mem, spec->verb), arena_strdup(mem, spec->argument), NULL };
    char *const environment[] = { NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int spares[SPARE_FD];
    sigset_t none;

    memset(spares, 0xff, sizeof(spares));
    (void)sigemptyset(&none); /* these four fail only for want of memory, and then spawn does */
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    int rc = pass_fds(&actions, spec, ends, spares);
    if (rc >= 0)
        rc = FAULT_POINT();
    if (rc >= 0)
        rc = -posix_spawn(&child->pid, spec->program, &actions, &attributes, argv, environment);
    if (rc < 0)
        child->pid = 0;
    for (size_t i = 0; i < ARRAY_SIZE(spares); i++)
        sys_close_fd(&spares[i]);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return rc < 0 ? fail_sys(err, rc, "cannot start a confined child") : 0;
}

static int pass_fds(posix_spawn_file_actions_t *actions, const struct child_spec *spec,
                    const struct ends *ends, int *spares)
{
    int rc = pass_fd(actions, ends->input, STDIN_FILENO, spares++);

    if (rc >= 0)
        rc = pass_fd(actions, ends->output, STDOUT_FILENO, spares++);
    if (rc >= 0)
        rc = pass_fd(actions, ends->report, CHILD_REPORT_FD, spares++);
    if (rc >= 0)
        rc = pass_fd(actions, ends->request, CHILD_REQUEST_FD, spares++);
    for (size_t i = 0; rc >= 0 && i < spec->fd_count; i++)
        rc = pass_fd(actions, spec->fds[i], CHILD_FIRST_FD + (int)i, spares++);
    return rc;
}

static int pass_fd(posix_spawn_file_actions_t *actions, int fd, int number, int *spare)
{
    *spare = fcntl(fd, F_DUPFD_CLOEXEC, SPARE_FD);
    if (*spare < 0)
        return -errno;
    return -posix_spawn_file_actions_adddup2(actions, *spare, number);
}

static void ends_done(struct ends *ends)
{
    sys_close_fd(&ends->input);
    sys_close_fd(&ends->output);
    sys_close_fd(&ends->report);
    sys_close_fd(&ends->request);
}

static int read_report(int fd, struct buf *report)
{
    for (;;) {
        char *end = buf_reserve(report, REPORT_CHUNK);
        ssize_t got = sys_read(fd, end, REPORT_CHUNK);
        if (got <= 0)
            return (int)got;
        report->size += (size_t)got;
        report->data[report->size] = '\0';
        if (report->size > REPORT_BYTES_MAX)
            return -EFBIG;
    }
}

static int reap(struct child *child, int *status)
{
    pid_t got;

    do
        got = waitpid(child->pid, status, 0);
    while (got < 0 && errno == EINTR);
    child->pid = 0;
    return got < 0 ? -errno : 0;
}

static int judge(const struct buf *report, int status, struct error *err)
{
    const char *failed = report_get(report, "failed");
    const char *code = report_get(report, "code");

    if (failed != NULL)
        return fail(err, code == NULL ? ERR_SYSTEM : error_code_find(code), "%s", failed);
    if (WIFSIGNALED(status))
        return fail(err, ERR_SYSTEM, "a confined child was killed by signal %d", WTERMSIG(status));
    if (report_get(report, "end") == NULL || WEXITSTATUS(status) != 0)
        return fail(err, ERR_SYSTEM, "a confined child ended without a report");
    return 0;
}
