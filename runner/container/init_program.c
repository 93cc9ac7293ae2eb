/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps of any process of a container, from standing in the root to being the program.  With
 * no_new_privs the filter comes last; without, only the privileged may load one, so it comes before
 * privileges are dropped, and the steps between must get along with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/json.h"
#include "base/sys.h"
#include "runner/container/container_state.h"
#include "runner/container/hook.h"
#include "runner/container/init.h"
#include "runner/container/message.h"
#include "runner/process/descriptor.h"
#include "runner/process/identity.h"
#include "runner/process/passwd.h"
#include "runner/process/procfs.h"
#include "runner/process/program.h"

static int load_filter(struct init *init, struct error *err);
static const char *const *make_env(struct init *init);

int init_take_stdio(struct init *init, struct error *err)
{
    if (init->console.terminal_fd >= 0)
        return console_take(init->console.terminal_fd, err);
    for (int fd = 0; fd <= 2; fd++) {
        int from = init->stdio[fd];
        if (from >= 0 && from != fd && dup2(from, fd) < 0)
            return fail_sys(err, -errno, "cannot use descriptor %d", from);
    }
    return 0;
}

int init_label(struct init *init, struct error *err)
{
    if (init->spec != NULL && memory_policy_set(&init->spec->memory_policy, err) < 0)
        return -1;
    if (identity_schedule(init->process, init->personality, err) < 0)
        return -1;
    return identity_label(init->process, init->proc_fd, err);
}

int init_confine_early(struct init *init, struct error *err)
{
    return init->process->no_new_privileges ? 0 : load_filter(init, err);
}

int init_take_identity(struct init *init, struct error *err)
{
    if (identity_take(init->process, &init->capabilities, err) < 0)
        return -1;
    if (init->process->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return fail_sys(err, -errno, "cannot set no_new_privs");
    return 0;
}

/* After this no descriptor of the host is left, but those that are on their way out. */
int init_close_descriptors(struct init *init, struct error *err)
{
    const int kept[] = { init->sync_fd, init->fifo_fd, init->proc_fd };
    int rc = descriptors_close_but(FIRST_EXTRA_FD + init->preserve_fds, kept, ARRAY_SIZE(kept));

    return rc < 0 ? fail_sys(err, rc, "cannot close descriptors") : 0;
}

int init_enter_cwd(struct init *init, struct error *err)
{
    return identity_enter_cwd(init->process, err);
}

int init_find_program(struct init *init, struct error *err)
{
    init->env = make_env(init);
    return program_find(init->mem, init->process, &init->program, err);
}

/* A listener must have its descriptor before there is anything to be notified of. */
int init_report_ready(struct init *init, struct error *err)
{
    if (init->process->no_new_privileges && init->filter.listener_path != NULL &&
        load_filter(init, err) < 0)
        return -1;
    int rc = message_send(init->sync_fd, MESSAGE_READY, 0, -1);
    return rc < 0 ? fail_sys(err, rc, "the runtime has gone away") : 0;
}

/*
 * Opening the fifo for writing waits until somebody opens it for reading: that is the start.  It
 * stays open until the program is executed, so the reader sees the end, or our error.
 */
int init_wait_for_start(struct init *init, struct error *err)
{
    if (init->is_held)
        return init_wait_for_go(init, err);
    if (init->fifo_fd < 0)
        return 0;
    sys_close_fd(&init->sync_fd);
    int fd = procfs_reopen(init->proc_fd, init->fifo_fd, O_WRONLY);
    if (fd < 0)
        return fail_sys(err, fd, "cannot open the exec fifo");
    init->report_fd = fd;
    sys_close_fd(&init->proc_fd);
    sys_close_fd(&init->fifo_fd);
    return 0;
}

int init_run_start_hooks(struct init *init, struct error *err)
{
    if (init->spec->hooks[HOOK_START_CONTAINER].count == 0)
        return 0;
    cleanup_json json_t *state =
        container_state_of_spec(init->spec, init->id, init->host_pid, CONTAINER_CREATED);
    return hooks_run(init->spec->hooks, HOOK_START_CONTAINER, state, err);
}

int init_confine(struct init *init, struct error *err)
{
    bool is_loaded = !init->process->no_new_privileges || init->filter.listener_path != NULL;

    return is_loaded ? 0 : load_filter(init, err);
}

int init_execute(struct init *init, struct error *err)
{
    return program_exec(init->program, init->process, init->env, err);
}

static int load_filter(struct init *init, struct error *err)
{
    int listener_fd = -1;

    if (filter_load(&init->filter, &listener_fd, err) < 0)
        return -1;
    if (listener_fd < 0)
        return 0;
    int rc = message_send(init->sync_fd, MESSAGE_LISTENER, 0, listener_fd);
    (void)close(listener_fd); /* the parent has its own */
    return rc < 0 ? fail_sys(err, rc, "cannot hand over the seccomp listener") : 0;
}

static const char *const *make_env(struct init *init)
{
    const char *const *env = init->process->env;
    size_t count = 0;

    while (env != NULL && env[count] != NULL)
        count++;
    const char **made = arena_array(init->mem, count + 4, sizeof(*made));
    if (count > 0)
        memcpy(made, env, count * sizeof(*made));
    if (process_env(init->process, "HOME") == NULL)
        made[count++] =
            arena_printf(init->mem, "HOME=%s", passwd_home(init->mem, init->process->uid));
    if (init->listen_fds > 0) {
        made[count++] = arena_printf(init->mem, "LISTEN_FDS=%d", init->listen_fds);
        made[count++] = "LISTEN_PID=1";
    }
    return made;
}
