/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing a container's process into being as a child of the caller, in the right namespaces.  One
 * clone does it when all namespaces are new; namespaces that bind only children (PID, time) or that
 * give the right to the others (user) are joined by an intermediate process, which the caller never
 * sees again.
 */
#ifndef RUNNER_LAUNCH_H
#define RUNNER_LAUNCH_H

#include <stdint.h>
#include <sys/types.h>

#include "runner/cgroup/cgroup.h"
#include "runner/container/init.h"

struct launched {
    pid_t pid;
    int pidfd;
};

/* Clones the first process, which runs init_run(init).  'parent_fd' is the other end of its sync.
 */
int launch_create(struct init *init, const struct cgroup *cgroup, int parent_fd,
                  struct launched *launched, struct error *err);

/*
 * Clones a process that joins the namespaces (CLONE_NEW* of 'flags') of 'target_pidfd' and the
 * groups 'below' the container's, and runs init_run_exec(init).
 */
struct launch_target {
    int pidfd;
    unsigned int flags;
    const struct cgroup *cgroup;
    const char *below;
};

int launch_exec(struct init *init, const struct launch_target *target, int parent_fd,
                struct launched *launched, struct error *err);

/* The signals that the calling process ignores, as struct init wants them. */
uint32_t launch_ignored_signals(void);

/* The intermediate process's exit is not the child's: reaps a child that failed, for good. */
void launch_abort(struct launched *launched);

#endif
