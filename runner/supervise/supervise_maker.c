/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making happens in a child, which sends a struct made and its descriptors through a socket and
 * ends; the processes it made then belong to the supervisor, the nearest subreaper.
 */
#include "runner/supervise/supervise_maker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "runner/cgroup/cgroup.h"
#include "runner/process/process.h"
#include "runner/spec/spec.h"
#include "runner/supervise/stdio_ends.h"

#define ANNOTATION_INPUT      "org.volumed.stdin"
#define ANNOTATION_INPUT_ONCE "org.volumed.stdin-once"
#define ANNOTATION_LOG        "org.volumed.log"

/* What the maker works with. */
struct making {
    const struct supervise_options *options;
    struct arena *mem;
    struct made *made;
    int theirs[3]; /* the process's ends */
};

static void maker_main(const struct supervise_options *options, int socket_fd)
    __attribute__((noreturn));
static int make(struct making *making, struct error *err);
static int make_container(struct making *making, struct error *err);
static int make_exec(struct making *making, struct error *err);
static int make_stdio(struct making *making, bool is_terminal, bool has_input, struct error *err);
static int open_cgroup_files(struct made *made, const struct cgroup *cgroup, struct error *err);
static int open_freezer(struct made *made, const struct cgroup *cgroup, struct error *err);
static int hand_over(const struct made *made, int socket_fd);
static int receive(struct made *made, int socket_fd);
static bool wait_for_message(int socket_fd, int caller_fd);

int maker_run(const struct supervise_options *options, int caller_fd, struct made *made,
              struct error *err)
{
    int sockets[2];
    int status = 0;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        return fail_sys(err, -errno, "cannot talk to the maker");
    cleanup_fd int ours = sockets[0];
    cleanup_fd int theirs = sockets[1];
    pid_t pid = fork();
    if (pid < 0)
        return fail_sys(err, -errno, "cannot begin to make '%s'", options->id);
    if (pid == 0) {
        (void)close(caller_fd); /* the caller waits for the supervisor alone */
        maker_main(options, theirs);
    }
    sys_close_fd(&theirs);
    if (!wait_for_message(ours, caller_fd))
        (void)kill(pid, SIGKILL); /* not reaped yet, so it is still the maker */
    int rc = receive(made, ours);
    (void)waitpid(pid, &status, 0); /* a child of ours */
    if (rc == 0 && made->error.code == ERR_NONE)
        return 0;
    if (rc == 0) {
        *err = made->error;
        return -1;
    }
    maker_undo(options, NULL);
    return fail(err, ERR_SYSTEM, "making '%s' ended early", options->id);
}

void maker_undo(const struct supervise_options *options, const struct made *made)
{
    struct error ignored = { 0 };
    struct container *container = NULL;
    cleanup_arena struct arena *mem = arena_new();

    if (made != NULL)
        (void)kill(made->pid, SIGKILL); /* not reaped yet, so it is still ours */
    if (!options->is_exec &&
        container_open(mem, options->root, options->id, &container, &ignored) == 0)
        (void)container_delete(container, true, &ignored); /* best effort; reconcile tries again */
}

static void maker_main(const struct supervise_options *options, int socket_fd)
{
    struct error err = { 0 };
    struct made made = { .log_format = LOG_FILE_NONE };
    struct making making = { .options = options, .made = &made };
    sigset_t none;

    (void)sigemptyset(&none);                    /* as below, cannot fail */
    (void)sigprocmask(SIG_SETMASK, &none, NULL); /* the container would inherit the supervisor's */
    for (int i = 0; i < MADE_FDS; i++)
        made.fds[i] = -1;
    making.mem = arena_new();
    if (make(&making, &err) < 0)
        made.error = err;
    int rc = hand_over(&made, socket_fd);
    _exit(rc < 0);
}

static int make(struct making *making, struct error *err)
{
    for (int i = 0; i < 3; i++)
        making->theirs[i] = -1;
    return making->options->is_exec ? make_exec(making, err) : make_container(making, err);
}

static int make_container(struct making *making, struct error *err)
{
    const struct supervise_options *options = making->options;
    struct container_options container_options = {
        .root = options->root,
        .id = options->id,
        .bundle = options->dir,
        .cgroup_manager = options->cgroup_manager,
    };
    struct made *made = making->made;
    struct spec *spec = NULL;
    struct container *container = NULL;

    if (spec_read(making->mem, options->dir, NULL, &spec, err) < 0)
        return -1;
    const json_t *annotations = spec->annotations;
    const char *format = spec_annotation(annotations, ANNOTATION_LOG, "json-file");
    bool has_input = strcmp(spec_annotation(annotations, ANNOTATION_INPUT, ""), "true") == 0;
    made->input_is_once =
        strcmp(spec_annotation(annotations, ANNOTATION_INPUT_ONCE, ""), "true") == 0;
    if (log_file_format_parse(format, &made->log_format, err) < 0 ||
        make_stdio(making, spec->process->terminal, has_input, err) < 0)
        return -1;
    memcpy(container_options.stdio, making->theirs, sizeof(making->theirs));
    container_options.stdio_owner = spec->process->uid;
    if (container_create(making->mem, &container_options, spec, &container, err) < 0)
        return -1;
    made->pid = container->pid;
    made->fds[MADE_CONSOLE] = container->console_fd;
    if (open_cgroup_files(made, container->cgroup, err) < 0) {
        struct error ignored = { 0 };
        (void)container_delete(container, true, &ignored); /* the first error is the one to tell */
        return -1;
    }
    return 0;
}

static int make_exec(struct making *making, struct error *err)
{
    const struct supervise_options *options = making->options;
    struct made *made = making->made;
    struct exec_options exec_options = { .is_held = true };
    struct container *container = NULL;
    struct process *process = NULL;
    struct exec exec = { 0 };

    if (process_read(making->mem, options->process_file, &process, err) < 0 ||
        container_open(making->mem, options->root, options->id, &container, err) < 0 ||
        make_stdio(making, process->terminal, options->has_input, err) < 0)
        return -1;
    memcpy(exec_options.stdio, making->theirs, sizeof(making->theirs));
    exec_options.stdio_owner = process->uid;
    made->input_is_once = true;
    if (container_exec(container, &exec_options, process, &exec, err) < 0)
        return -1;
    made->pid = exec.pid;
    made->fds[MADE_CONSOLE] = exec.console_fd;
    made->fds[MADE_HOLD] = exec.hold_fd;
    return 0;
}

static int make_stdio(struct making *making, bool is_terminal, bool has_input, struct error *err)
{
    struct stdio stdio;

    if (is_terminal)
        return 0;
    if (stdio_make_pipes(&stdio, has_input, making->theirs, err) < 0)
        return -1;
    making->made->fds[MADE_INPUT] = stdio.input_fd;
    making->made->fds[MADE_STDOUT] = stdio.output_fd[0];
    making->made->fds[MADE_STDERR] = stdio.output_fd[1];
    return 0;
}

static int open_cgroup_files(struct made *made, const struct cgroup *cgroup, struct error *err)
{
    struct error ignored = { 0 };
    const struct hierarchy *memory = cgroup_find(cgroup, "memory");
    const char *counter = "memory.oom_control";

    if (memory == NULL && cgroup->is_unified) {
        memory = cgroup_find(cgroup, "");
        counter = "memory.events";
    }
    if (memory != NULL) {
        cleanup_fd int fd = sys_openat(AT_FDCWD, memory->path, O_PATH | O_DIRECTORY, 0);
        made->fds[MADE_OOM_COUNT] = fd < 0 ? -1 : sys_openat(fd, counter, O_RDONLY, 0);
        made->fds[MADE_OOM_EVENT] = cgroup_oom_open(cgroup, &ignored); /* then nobody is told */
    }
    return open_freezer(made, cgroup, err);
}

/* The same as cgroup_freezer.c takes, so that `runner pause` and ours are one. */
static int open_freezer(struct made *made, const struct cgroup *cgroup, struct error *err)
{
    const struct hierarchy *hierarchy = cgroup_find(cgroup, "");
    enum freezer_kind kind = FREEZER_V2;
    struct freezer freezer;

    if (hierarchy == NULL) {
        hierarchy = cgroup_find(cgroup, "freezer");
        kind = FREEZER_V1;
    }
    if (hierarchy == NULL)
        return 0;
    cleanup_fd int fd = sys_openat(AT_FDCWD, hierarchy->path, O_PATH | O_DIRECTORY, 0);
    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%s'", hierarchy->path);
    if (freezer_open(&freezer, kind, fd, err) < 0)
        return -1;
    made->freezer_kind = kind;
    made->fds[MADE_FREEZER] = freezer.control_fd;
    made->fds[MADE_FREEZER_EVENT] = freezer.event_fd;
    return 0;
}

static int hand_over(const struct made *made, int socket_fd)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * MADE_FDS)];
    } control = { 0 };
    struct made copy = *made;
    struct iovec part = { .iov_base = &copy, .iov_len = sizeof(copy) };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    int fds[MADE_FDS];
    size_t count = 0;

    for (int i = 0; i < MADE_FDS; i++)
        if (made->fds[i] >= 0)
            fds[count++] = made->fds[i];
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * count);
    }
    return sendmsg(socket_fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Numbers that are not -1 stand for the descriptors that came along, in order. */
static int receive(struct made *made, int socket_fd)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * MADE_FDS)];
    } control = { 0 };
    struct iovec part = { .iov_base = made, .iov_len = sizeof(*made) };
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    int fds[MADE_FDS];
    size_t used = 0;

    ssize_t got = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (got != (ssize_t)sizeof(*made))
        return -EPROTO;
    memcpy(fds, CMSG_DATA(&control.header), sizeof(fds));
    for (int i = 0; i < MADE_FDS; i++)
        if (made->fds[i] >= 0)
            made->fds[i] = fds[used++];
    return 0;
}

/* False when the caller has gone away: it was killed, and will never ask for what is being made. */
static bool wait_for_message(int socket_fd, int caller_fd)
{
    struct pollfd polls[] = {
        { .fd = socket_fd, .events = POLLIN },
        { .fd = caller_fd, .events = 0 }, /* POLLERR of a pipe that nobody reads */
    };

    while (poll(polls, ARRAY_SIZE(polls), -1) < 0 && errno == EINTR)
        ;
    return (polls[1].revents & POLLERR) == 0;
}
