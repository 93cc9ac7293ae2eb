/* SPDX-License-Identifier: Apache-2.0 */
/* exec: a further process, from a file or from words of the command line. */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/json.h"
#include "base/sys.h"
#include "base/units.h"
#include "runner/command/command.h"
#include "runner/process/console.h"
#include "runner/process/process.h"
#include "runner/supervise/forward.h"

static const struct process *read_process(struct arena *mem, const struct options *options,
                                          const struct container *container, struct error *err);
static int change_process(struct arena *mem, const struct options *options, struct process *process,
                          struct error *err);
static int set_user(struct process *process, const char *text, struct error *err);
static const char *const *join(struct arena *mem, const char *const *first,
                               const struct option_list *more);

int command_exec(struct arena *mem, struct options *options, struct error *err)
{
    struct exec_options exec_options = {
        .pid_file = options->pid_file,
        .preserve_fds = (int)options->preserve_fds,
        .stdio = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO },
        .cgroup = options->cgroup,
        .ignores_paused = options->ignores_paused,
    };
    cleanup_container struct container *container = NULL;
    struct exec exec = { 0 };

    if (!options->without_subreaper && !options->is_detached)
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* cannot fail */
    if (command_open(mem, options, &container, err) < 0)
        return -1;
    const struct process *process = read_process(mem, options, container, err);
    if (process == NULL)
        return -1;
    exec_options.stdio_owner = process->uid;
    if (container_exec(container, &exec_options, process, &exec, err) < 0)
        return -1;
    if (options->pidfd_socket != NULL &&
        console_send_as(options->pidfd_socket, "pidfd", exec.pidfd, err) < 0)
        return -1;
    if (exec.console_fd >= 0 && options->console_socket != NULL) {
        if (console_send(options->console_socket, exec.console_fd, err) < 0)
            return -1;
        sys_close_fd(&exec.console_fd);
    }
    return options->is_detached ? 0 : forward_until_end(exec.pid, exec.console_fd, -1, err);
}

/* NULL on failure.  Words alone leave all the rest as the container's own process has it. */
static const struct process *read_process(struct arena *mem, const struct options *options,
                                          const struct container *container, struct error *err)
{
    const json_t *stored = json_object_get(container->state, "process");
    struct process *process = arena_alloc(mem, sizeof(*process));

    if (options->process != NULL)
        return process_read(mem, options->process, &process, err) < 0 ? NULL : process;
    if (options->arg_count < 2) {
        (void)fail(err, ERR_INVALID, "exec needs a command or --process");
        return NULL;
    }
    if (fields_read(mem, "process", stored, process_fields, process, err) < 0)
        return NULL;
    process->args = (const char *const *)(void *)(options->args + 1);
    process->terminal = options->is_terminal;
    return change_process(mem, options, process, err) < 0 ? NULL : process;
}

static int change_process(struct arena *mem, const struct options *options, struct process *process,
                          struct error *err)
{
    if (options->cwd != NULL)
        process->cwd = options->cwd;
    process->env = join(mem, process->env, &options->env);
    if (options->apparmor != NULL)
        process->apparmor_profile = options->apparmor;
    if (options->process_label != NULL)
        process->selinux_label = options->process_label;
    if (options->has_no_new_privs)
        process->no_new_privileges = true;
    if (options->caps.count > 0) {
        process->has_capabilities = true;
        process->capabilities.bounding = join(mem, process->capabilities.bounding, &options->caps);
        process->capabilities.effective =
            join(mem, process->capabilities.effective, &options->caps);
        process->capabilities.permitted =
            join(mem, process->capabilities.permitted, &options->caps);
    }
    if (options->additional_gids.count > 0) {
        json_t *gids = json_array(); /* lives as long as the process */
        for (size_t i = 0; i < options->additional_gids.count; i++) {
            int64_t gid = -1;
            if (units_parse_int(options->additional_gids.items[i], &gid) < 0 || gid < 0 ||
                gid > UINT32_MAX)
                return fail(err, ERR_INVALID, "invalid gid '%s'",
                            options->additional_gids.items[i]);
            (void)json_array_append_new(gids, json_integer(gid));
        }
        process->additional_gids = gids;
    }
    return options->user != NULL ? set_user(process, options->user, err)
                                 : process_check(process, err);
}

/* "UID" or "UID:GID", whole numbers and nothing else (CVE-2026-30892). */
static int set_user(struct process *process, const char *text, struct error *err)
{
    char uid_text[24] = { 0 };
    size_t length = strcspn(text, ":");
    int64_t uid = -1;
    int64_t gid = process->gid;

    if (length < sizeof(uid_text))
        memcpy(uid_text, text, length);
    if (units_parse_int(uid_text, &uid) < 0 || uid < 0 || uid > UINT32_MAX ||
        (text[length] == ':' && units_parse_int(text + length + 1, &gid) < 0) || gid < 0 ||
        gid > UINT32_MAX)
        return fail(err, ERR_INVALID, "invalid user '%s': expected UID[:GID] in numbers", text);
    process->uid = (uint32_t)uid;
    process->gid = (uint32_t)gid;
    return process_check(process, err);
}

static const char *const *join(struct arena *mem, const char *const *first,
                               const struct option_list *more)
{
    size_t count = 0;

    while (first != NULL && first[count] != NULL)
        count++;
    const char **all = arena_array(mem, count + more->count + 1, sizeof(*all));
    if (count > 0)
        memcpy(all, first, count * sizeof(*all));
    if (more->count > 0)
        memcpy(all + count, more->items, more->count * sizeof(*all));
    return all;
}
