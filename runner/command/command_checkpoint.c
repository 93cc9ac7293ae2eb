/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint and restore. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/sys.h"
#include "runner/checkpoint/checkpoint.h"
#include "runner/command/command.h"
#include "runner/process/console.h"
#include "runner/spec/spec.h"
#include "runner/supervise/forward.h"

#define IMAGES_DEFAULT "checkpoint"

static struct checkpoint_options read_options(const struct options *options);
static int restore(struct arena *mem, const struct options *options, struct container **container,
                   struct error *err);

/* As with other runtimes, a container whose processes were stored, and are gone, is deleted. */
int command_checkpoint(struct arena *mem, struct options *options, struct error *err)
{
    struct checkpoint_options checkpoint_options = read_options(options);
    cleanup_container struct container *container = NULL;

    if (geteuid() != 0)
        return fail(err, ERR_DENIED, "checkpoint needs root");
    if (command_open(mem, options, &container, err) < 0 ||
        container_checkpoint(mem, container, &checkpoint_options, err) < 0)
        return -1;
    if (options->is_left_running || options->is_pre_dump)
        return 0;
    return container_delete(container, true, err);
}

int command_restore(struct arena *mem, struct options *options, struct error *err)
{
    cleanup_container struct container *container = NULL;
    struct error ignored; /* its exit status is what the caller asked for */

    if (geteuid() != 0)
        return fail(err, ERR_DENIED, "restore needs root");
    if (!options->without_subreaper)
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* cannot fail */
    if (restore(mem, options, &container, err) < 0)
        return -1;
    if (options->is_detached)
        return 0;
    int status = forward_until_end(container->pid, container->console_fd, -1, err);
    if (status >= 0 && !options->is_kept)
        (void)container_delete(container, true, &ignored);
    return status;
}

static struct checkpoint_options read_options(const struct options *options)
{
    return (struct checkpoint_options){
        .image_path = options->image_path != NULL ? options->image_path : IMAGES_DEFAULT,
        .work_path = options->work_path,
        .parent_path = options->parent_path,
        .page_server = options->page_server,
        .cgroups_mode = options->manage_cgroups_mode,
        .empty_ns = options->empty_ns,
        .lsm_profile = options->lsm_profile,
        .lsm_mount_context = options->lsm_mount_context,
        .status_fd = options->status_fd,
        .leaves_running = options->is_left_running,
        .is_pre_dump = options->is_pre_dump,
        .has_tcp = options->has_tcp,
        .closes_tcp = options->closes_tcp,
        .skips_in_flight = options->skips_in_flight,
        .has_unix_sockets = options->has_unix_sockets,
        .has_file_locks = options->has_file_locks,
        .is_shell_job = options->is_shell_job,
        .links_again = options->links_again,
        .deduplicates = options->deduplicates,
        .is_lazy = options->is_lazy,
    };
}

static int restore(struct arena *mem, const struct options *options, struct container **container,
                   struct error *err)
{
    struct checkpoint_options checkpoint_options = read_options(options);
    struct container_options container_options = {
        .root = options->root,
        .id = options->args[0],
        .bundle = options->bundle != NULL ? options->bundle : ".",
        .pid_file = options->pid_file,
        .cgroup_manager = options->cgroup_manager,
        .stdio = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO },
    };
    struct error ignored; /* the first error is the one to tell */
    struct spec *spec = NULL;

    if (spec_read(mem, container_options.bundle, options->config, &spec, err) < 0)
        return -1;
    int rc = container_restore(mem, &container_options, &checkpoint_options, spec, container, err);
    if (rc == 0 && command_hand_over(options, *container, err) < 0) {
        (void)container_delete(*container, true, &ignored);
        rc = -1;
    }
    spec_close(spec);
    return rc;
}
