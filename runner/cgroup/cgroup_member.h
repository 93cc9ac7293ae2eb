/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a process comes into a container's groups.  Moving another process into a v1 group waits for
 * a grace period of RCU, some ten milliseconds; a process with one thread that moves itself does
 * not (kernel/cgroup: cgroup_procs_write_start), nor does one that is cloned into a v2 group.  So
 * the files of v1 are opened with the host's view, and written by the process itself.
 */
#ifndef RUNNER_CGROUP_MEMBER_H
#define RUNNER_CGROUP_MEMBER_H

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "runner/cgroup/cgroup.h"

/* An open file of each v1 group.  Zero is none. */
struct cgroup_members {
    int *fds;
    size_t count;
};

/* 'below' is a path under each group, or NULL.  Errors: NOT_FOUND, DENIED. */
int cgroup_members_open(struct arena *mem, const struct cgroup *cgroup, const char *below,
                        struct cgroup_members *members, struct error *err);

/* The calling process, which has one thread, joins. */
int cgroup_members_join(const struct cgroup_members *members, struct error *err);

/* Puts their closing off (descriptor.h). */
void cgroup_members_close(struct cgroup_members *members);

/* A descriptor of the v2 group for CLONE_INTO_CGROUP; -1 and err untouched where there is none. */
int cgroup_clone_fd(const struct cgroup *cgroup, const char *below, struct error *err);

#endif
