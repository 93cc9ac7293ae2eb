/* SPDX-License-Identifier: Apache-2.0 */
/* clone3, with and without an intermediate process. */
#include "runner/container/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "runner/container/message.h"
#include "runner/process/descriptor.h"
#include "runner/process/identity.h"

/* What the intermediate process does; 'target' is NULL when a container is made. */
struct stage {
    struct init *init;
    const struct launch_target *target;
    uint64_t flags; /* of the real clone */
    int cgroup_fd;
    int parent_fd; /* to be closed in the children */
    int answer_fd;
};

static bool needs_stage(const struct init *init);
static bool has_offsets(const struct spec *spec);
static pid_t clone_process(uint64_t flags, int cgroup_fd, int *pidfd);
static int launch_stage(struct stage *stage, struct launched *launched, struct error *err);
static void stage_main(struct stage *stage) __attribute__((noreturn));
static int stage_enter(const struct stage *stage, struct error *err);
static int enter_for_create(const struct init *init, struct error *err);
static int enter_for_exec(const struct stage *stage, struct error *err);
static int set_time_offsets(const struct spec *spec, struct error *err);
static void child_main(struct stage *stage) __attribute__((noreturn));

int launch_create(struct init *init, const struct cgroup *cgroup, int parent_fd,
                  struct launched *launched, struct error *err)
{
    uint64_t flags = init->namespaces.new_flags & ~(uint64_t)init_late_namespaces(init);
    struct stage stage = { .init = init, .flags = flags, .parent_fd = parent_fd };
    cleanup_fd_later int cgroup_fd = -1;

    err->code = ERR_NONE;
    cgroup_fd = cgroup_clone_fd(cgroup, NULL, err);
    if (cgroup_fd < 0 && err->code != ERR_NONE)
        return -1;
    stage.cgroup_fd = cgroup_fd;
    if (needs_stage(init))
        return launch_stage(&stage, launched, err);
    pid_t pid = clone_process(flags, cgroup_fd, &launched->pidfd);
    if (pid < 0)
        return fail_sys(err, pid, "cannot make the container's process");
    if (pid == 0) {
        (void)close(parent_fd); /* so that its end is noticed */
        child_main(&stage);
    }
    launched->pid = pid;
    return 0;
}

int launch_exec(struct init *init, const struct launch_target *target, int parent_fd,
                struct launched *launched, struct error *err)
{
    struct stage stage = { .init = init, .target = target, .parent_fd = parent_fd };
    cleanup_fd int cgroup_fd = -1;

    err->code = ERR_NONE;
    cgroup_fd = cgroup_clone_fd(target->cgroup, target->below, err);
    if (cgroup_fd < 0 && err->code != ERR_NONE)
        return -1;
    stage.cgroup_fd = cgroup_fd;
    return launch_stage(&stage, launched, err);
}

void launch_abort(struct launched *launched)
{
    if (launched->pid <= 0)
        return;
    (void)kill(launched->pid, SIGKILL); /* our child, not reaped: no other has its PID */
    while (waitpid(launched->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    launched->pid = 0;
    sys_close_fd(&launched->pidfd);
}

/* "SigIgn:\t0000000000001000": one read instead of a call for each signal. */
uint32_t launch_ignored_signals(void)
{
    static const char label[] = "SigIgn:";
    char text[4096];
    cleanup_fd_later int fd = sys_openat(AT_FDCWD, "/proc/self/status", O_RDONLY, 0);
    ssize_t size = fd < 0 ? fd : sys_read(fd, text, sizeof(text) - 1);

    if (size < 0)
        return 0;
    text[size] = '\0';
    const char *line = strstr(text, label);
    return line == NULL ? 0 : (uint32_t)strtoull(line + sizeof(label) - 1, NULL, 16);
}

static bool needs_stage(const struct init *init)
{
    const struct namespaces *namespaces = &init->namespaces;

    if ((namespaces->joined_flags & (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWTIME)) != 0)
        return true;
    return (namespaces->new_flags & CLONE_NEWTIME) != 0 && has_offsets(init->spec);
}

static bool has_offsets(const struct spec *spec)
{
    return spec->boottime.secs.is_set || spec->boottime.nanosecs.is_set ||
           spec->monotonic.secs.is_set || spec->monotonic.nanosecs.is_set;
}

/* As fork(2): returns twice; the child is the caller's child, or with CLONE_PARENT its sibling. */
static pid_t clone_process(uint64_t flags, int cgroup_fd, int *pidfd)
{
    int made_fd = -1;

    struct clone_args args = {
        .flags = (__u64)flags | CLONE_CLEAR_SIGHAND,
        .exit_signal = (flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD,
    };

    if (pidfd != NULL) {
        args.flags |= CLONE_PIDFD;
        args.pidfd = (__u64)(uintptr_t)&made_fd;
    }
    if (cgroup_fd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (__u64)cgroup_fd;
    }
    long pid = syscall(SYS_clone3, &args, sizeof(args));
    if (pid > 0 && pidfd != NULL)
        *pidfd = made_fd;
    return pid < 0 ? -errno : (pid_t)pid;
}

static int launch_stage(struct stage *stage, struct launched *launched, struct error *err)
{
    struct message message;
    int answer_fds[2];
    int ignored_fd;
    int rc = message_pair(answer_fds);

    if (rc < 0)
        return fail_sys(err, rc, "cannot make a socket");
    cleanup_fd int answer_fd = answer_fds[0];
    cleanup_fd int stage_fd = answer_fds[1];
    stage->answer_fd = stage_fd;
    /* One that joins is in the container's group from here on, and need not take it inside. */
    pid_t pid = clone_process(0, stage->target != NULL ? stage->cgroup_fd : -1, NULL);
    if (pid < 0)
        return fail_sys(err, pid, "cannot make a process");
    if (pid == 0)
        stage_main(stage);
    sys_close_fd(&stage_fd);
    rc = message_receive(answer_fd, &message, &ignored_fd);
    sys_close_fd(&ignored_fd);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (rc <= 0)
        return fail(err, ERR_SYSTEM, "the intermediate process has died");
    if (message.kind != MESSAGE_PID)
        return message_to_error(&message, err);
    launched->pid = message.value;
    launched->pidfd = sys_pidfd_open(launched->pid); /* our child: not reaped, so still it */
    return launched->pidfd < 0 ? fail_sys(err, launched->pidfd, "cannot open the new process") : 0;
}

static void stage_main(struct stage *stage)
{
    struct error err = { 0 };

    (void)close(stage->parent_fd); /* so that we notice when the parent is gone */
    if (stage_enter(stage, &err) == 0) {
        pid_t pid = clone_process(stage->flags | CLONE_PARENT,
                                  stage->target != NULL ? -1 : stage->cgroup_fd, NULL);
        if (pid == 0)
            child_main(stage);
        if (pid > 0) {
            (void)message_send(stage->answer_fd, MESSAGE_PID, pid, -1); /* gone: so are we */
            _exit(0);
        }
        (void)fail_sys(&err, pid, "cannot make the container's process");
    }
    (void)message_send_error(stage->answer_fd, &err); /* as above */
    _exit(1);
}

static int stage_enter(const struct stage *stage, struct error *err)
{
    if (stage->target != NULL)
        return enter_for_exec(stage, err);
    return enter_for_create(stage->init, err);
}

static int enter_for_create(const struct init *init, struct error *err)
{
    const struct namespaces *namespaces = &init->namespaces;

    if ((namespaces->joined_flags & CLONE_NEWUSER) != 0 &&
        (namespaces_join(namespaces, CLONE_NEWUSER, err) < 0 || identity_become_root(err) < 0))
        return -1;
    if (namespaces_join(namespaces, CLONE_NEWPID | CLONE_NEWTIME, err) < 0)
        return -1;
    if ((namespaces->new_flags & CLONE_NEWTIME) != 0 && has_offsets(init->spec))
        return set_time_offsets(init->spec, err);
    return 0;
}

/* The groups first: their files are the host's. */
static int enter_for_exec(const struct stage *stage, struct error *err)
{
    const struct launch_target *target = stage->target;
    const struct init *init = stage->init;
    const int kept[] = { init->sync_fd,  stage->answer_fd, target->pidfd,
                         init->stdio[0], init->stdio[1],   init->stdio[2] };
    int rc = descriptors_close_but(FIRST_EXTRA_FD + init->preserve_fds, kept, ARRAY_SIZE(kept));

    if (rc < 0)
        return fail_sys(err, rc, "cannot close descriptors");
    struct cgroup_members members = { 0 };
    rc = cgroup_members_open(init->mem, target->cgroup, target->below, &members, err);
    if (rc == 0)
        rc = cgroup_members_join(&members, err);
    cgroup_members_close(&members);
    descriptors_close_late();
    if (rc < 0)
        return -1;
    if (setns(target->pidfd, (int)target->flags) < 0)
        return fail_sys(err, -errno, "cannot join the container's namespaces");
    (void)close(target->pidfd); /* nothing of the host's is taken inside */
    return (target->flags & CLONE_NEWUSER) != 0 ? identity_become_root(err) : 0;
}

/* Offsets can be written as long as nobody is inside: the clone that follows will be the first. */
static int set_time_offsets(const struct spec *spec, struct error *err)
{
    char text[160];

    if (unshare(CLONE_NEWTIME) < 0)
        return fail_sys(err, -errno, "cannot make a time namespace");
    int length =
        snprintf(text, sizeof(text), "monotonic %lld %lld\nboottime %lld %lld\n",
                 (long long)spec->monotonic.secs.value, (long long)spec->monotonic.nanosecs.value,
                 (long long)spec->boottime.secs.value, (long long)spec->boottime.nanosecs.value);
    cleanup_fd int fd = sys_openat(AT_FDCWD, "/proc/self/timens_offsets", O_WRONLY, 0);
    int rc = fd < 0 ? fd : sys_write_all(fd, text, (size_t)length);
    return rc < 0 ? fail_sys(err, rc, "cannot set time offsets") : 0;
}

static void child_main(struct stage *stage)
{
    if (stage->target != NULL) {
        (void)close(stage->answer_fd); /* of the intermediate process */
        init_run_exec(stage->init);
    }
    init_run(stage->init);
}
