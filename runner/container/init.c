/* SPDX-License-Identifier: Apache-2.0 */
/* The two tables, the steps of namespaces, and the loop. */
#include "runner/container/init.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sys.h"
#include "runner/container/message.h"
#include "runner/process/descriptor.h"
#include "runner/process/identity.h"
#include "runner/process/program.h"

struct step {
    const char *name; /* NULL: the error says it all */
    int (*run)(struct init *init, struct error *err);
};

static int init_begin(struct init *init, struct error *err);
static int init_close_strangers(struct init *init, struct error *err);
static int init_wait_for_id_maps(struct init *init, struct error *err);
static int init_join_namespaces(struct init *init, struct error *err);
static int init_raise_loopback(struct init *init, struct error *err);
static int init_make_keyring(struct init *init, struct error *err);
static int init_join_groups(struct init *init, struct error *err);
static int init_report_built(struct init *init, struct error *err);
static int init_make_cgroup_namespace(struct init *init, struct error *err);
static void steps_run(const struct step *steps, struct init *init) __attribute__((noreturn));

static const struct step create_steps[] = {
    { "begin", init_begin },
    { "close descriptors", init_close_strangers },
    { "wait for id maps", init_wait_for_id_maps },
    { "join namespaces", init_join_namespaces },
    { "set up the loopback interface", init_raise_loopback },
    { "make a keyring", init_make_keyring },
    { "open the host's files", init_open_host },
    { "open the root filesystem", init_open_sources },
    { "build the root filesystem", init_build_root },
    { "hide paths", init_hide_paths },
    { "open the console", init_open_console },
    { "wait for the control groups", init_wait_for_go },
    { NULL, init_join_groups },
    { "report the built root", init_report_built },
    { "wait for the runtime's hooks", init_wait_for_go },
    { "make a cgroup namespace", init_make_cgroup_namespace },
    { NULL, init_run_create_hooks },
    { "switch to the root filesystem", init_enter_root },
    { "set the host name", init_set_names },
    { "set kernel parameters", init_set_sysctl },
    { "take standard input and output", init_take_stdio },
    { NULL, init_label },
    { "install the seccomp filter", init_confine_early },
    { "take on the user's identity", init_take_identity },
    { "close descriptors", init_close_descriptors },
    { NULL, init_enter_cwd },
    { NULL, init_find_program },
    { "report readiness", init_report_ready },
    { "wait for the start signal", init_wait_for_start },
    { NULL, init_run_start_hooks },
    { "install the seccomp filter", init_confine },
    { NULL, init_execute },
    { NULL, NULL },
};

/* The namespaces were joined before the clone (launch.c). */
static const struct step exec_steps[] = {
    { "begin", init_begin },
    { "wait for the control groups", init_wait_for_go },
    { "make a keyring", init_make_keyring },
    { "open the container's files", init_open_host },
    { "open the console", init_open_console },
    { "take standard input and output", init_take_stdio },
    { NULL, init_label },
    { "install the seccomp filter", init_confine_early },
    { "take on the user's identity", init_take_identity },
    { "close descriptors", init_close_descriptors },
    { NULL, init_enter_cwd },
    { NULL, init_find_program },
    { "report readiness", init_report_ready },
    { "wait for the start signal", init_wait_for_start },
    { "install the seccomp filter", init_confine },
    { NULL, init_execute },
    { NULL, NULL },
};

void init_run(struct init *init)
{
    steps_run(create_steps, init);
}

void init_run_exec(struct init *init)
{
    steps_run(exec_steps, init);
}

/*
 * A cgroup namespace must be made after its groups have been joined; message queues belong to who
 * made their namespace, which is nobody in a user namespace that has no ids yet.
 */
unsigned int init_late_namespaces(const struct init *init)
{
    unsigned int flags = init->namespaces.new_flags;

    return (flags & CLONE_NEWCGROUP) | ((flags & CLONE_NEWUSER) != 0 ? flags & CLONE_NEWIPC : 0);
}

int init_wait_for_go(struct init *init, struct error *err)
{
    struct message message;
    int unexpected_fd;
    int rc = message_receive(init->sync_fd, &message, &unexpected_fd);

    sys_close_fd(&unexpected_fd);
    if (rc <= 0 || message.kind != MESSAGE_GO)
        return fail(err, ERR_SYSTEM, "the runtime has gone away");
    if (message.value != 0)
        init->host_pid = message.value;
    return 0;
}

/* A session of its own, no handlers (the clone has cleared them), no blocked signals. */
static int init_begin(struct init *init, struct error *err)
{
    sigset_t none;

    for (int number = 1; number < 32; number++)
        if ((init->ignored_signals & (1u << (number - 1))) != 0)
            (void)signal(number, SIG_DFL); /* handlers went with the clone, this does not */
    (void)sigemptyset(&none);              /* as below, cannot fail */
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)umask(0); /* modes of what is made in the root are those asked for */
    return setsid() < 0 ? fail_sys(err, -errno, "cannot begin a session") : 0;
}

/*
 * Whoever is in a PID namespace that we join, and may look into us all the same (CAP_SYS_PTRACE),
 * finds nothing to climb out by: what the steps do not need goes first.  Elsewhere nobody is there
 * to look, and it goes with all the rest before the program (init_close_descriptors).
 */
static int init_close_strangers(struct init *init, struct error *err)
{
    const struct mounts *mounts = &init->mounts;
    size_t groups = mounts->cgroup->count;
    size_t count = 0;
    size_t room = NAMESPACE_KINDS + 6 + init->members.count + mounts->count * (1 + groups);
    int *kept = arena_array(init->mem, room, sizeof(*kept));

    if ((init->namespaces.joined_flags & CLONE_NEWPID) == 0)
        return 0;
    kept[count++] = init->sync_fd;
    kept[count++] = init->fifo_fd;
    kept[count++] = init->root_fd;
    for (int fd = 0; fd <= 2; fd++)
        kept[count++] = init->stdio[fd];
    for (int kind = 0; kind < NAMESPACE_KINDS; kind++)
        kept[count++] = init->namespaces.fds[kind];
    for (size_t i = 0; i < init->members.count; i++)
        kept[count++] = init->members.fds[i];
    for (size_t i = 0; i < mounts->count; i++) {
        kept[count++] = mounts->items[i].fd;
        for (size_t j = 0; mounts->items[i].group_fds != NULL && j < groups; j++)
            kept[count++] = mounts->items[i].group_fds[j];
    }
    int rc = descriptors_close_but(FIRST_EXTRA_FD + init->preserve_fds, kept, count);
    return rc < 0 ? fail_sys(err, rc, "cannot close descriptors") : 0;
}

/* Not dumpable from here on in any case: nothing in the container may look into this process. */
static int init_wait_for_id_maps(struct init *init, struct error *err)
{
    bool is_new = (init->namespaces.new_flags & CLONE_NEWUSER) != 0;

    if (!is_new && !mounts_are_mapped(&init->mounts))
        return 0;
    if (init_wait_for_go(init, err) < 0 || (is_new && identity_become_root(err) < 0))
        return -1;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return fail_sys(err, -errno, "cannot become undumpable");
    return 0;
}

static int init_join_namespaces(struct init *init, struct error *err)
{
    unsigned int here = CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWCGROUP;

    if ((init_late_namespaces(init) & CLONE_NEWIPC) != 0 && unshare(CLONE_NEWIPC) < 0)
        return fail_sys(err, -errno, "cannot unshare");
    return namespaces_join(&init->namespaces, here, err);
}

static int init_raise_loopback(struct init *init, struct error *err)
{
    if ((init->namespaces.new_flags & CLONE_NEWNET) == 0)
        return 0;
    return loopback_raise(err);
}

/* A host without keyrings, or with too many of them, can still run containers. */
static int init_make_keyring(struct init *init, struct error *err)
{
    char name[80];

    (void)err;
    if (init->without_keyring)
        return 0;
    (void)snprintf(name, sizeof(name), "_ses.%.64s", init->id); /* fits */
    (void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
    return 0;
}

static int init_join_groups(struct init *init, struct error *err)
{
    int rc = cgroup_members_join(&init->members, err);

    cgroup_members_close(&init->members);
    return rc;
}

static int init_report_built(struct init *init, struct error *err)
{
    int rc = message_send(init->sync_fd, MESSAGE_BUILT, 0, -1);

    /* Before programs of others run, or while others may be in the namespace; else with the rest.
     */
    if (init->spec->hooks[HOOK_CREATE_CONTAINER].count > 0 ||
        (init->namespaces.joined_flags & CLONE_NEWPID) != 0)
        descriptors_close_late();
    return rc < 0 ? fail_sys(err, rc, "the runtime has gone away") : 0;
}

/* Only now: its root is the group that the process is in when the namespace is made. */
static int init_make_cgroup_namespace(struct init *init, struct error *err)
{
    if ((init->namespaces.new_flags & CLONE_NEWCGROUP) == 0)
        return 0;
    return unshare(CLONE_NEWCGROUP) < 0 ? fail_sys(err, -errno, "cannot unshare") : 0;
}

static void steps_run(const struct step *steps, struct init *init)
{
    struct error err = { 0 };

    init->report_fd = init->sync_fd;
    init->proc_fd = init->null_fd = init->devpts_fd = -1;
    init->console = (struct console){ -1, -1 };
    for (; steps->run != NULL; steps++) {
        if (steps->run(init, &err) == 0)
            continue;
        if (steps->name != NULL)
            (void)error_prefix(&err, "cannot %s", steps->name);
        (void)message_send_error(init->report_fd, &err); /* nobody there: the status tells */
        break;
    }
    _exit(program_status(&err));
}
