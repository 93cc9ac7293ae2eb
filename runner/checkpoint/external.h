/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container has from outside, and criu cannot make anew by itself: bind mounts, its own
 * control groups, the covers of masked paths, namespaces of others, its standard streams.  When it
 * is stored criu is told to leave these out, each by a name; when it is brought back, what is to
 * stand in for that name.
 */
#ifndef RUNNER_EXTERNAL_H
#define RUNNER_EXTERNAL_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "runner/cgroup/cgroup.h"
#include "runner/checkpoint/criu.h"
#include "runner/process/namespace.h"
#include "runner/spec/spec.h"

/* True of a bind mount, however it says so. */
bool external_is_bind(struct arena *mem, const struct mount_spec *mount);

/* For a container that runs as 'pid'.  Mounts below a recursive bind are not looked for. */
int external_mounts_store(struct arena *mem, struct criu_call *call, const struct spec *spec,
                          const struct cgroup *cgroup, pid_t pid, struct error *err);
void external_mounts_restore(struct arena *mem, struct criu_call *call, const struct spec *spec,
                             const struct cgroup *cgroup);

/* Network and PID namespaces that were joined; on the way back others too. */
int external_namespaces_store(struct arena *mem, struct criu_call *call, const struct spec *spec,
                              pid_t pid, struct error *err);
int external_namespaces_restore(struct criu_call *call, const struct spec *spec,
                                const struct namespaces *namespaces, struct error *err);

/*
 * Standard streams, by the file descriptors.json of the image as other runtimes write it: pipes,
 * and files of the host, are on the way back those of 'stdio'.
 */
int external_streams_store(struct arena *mem, struct criu_call *call, int image_fd, pid_t pid,
                           struct error *err);
int external_streams_restore(struct arena *mem, struct criu_call *call, int image_fd,
                             const int stdio[3], struct error *err);

#endif
