/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's root filesystem handed to a confined child: the request (transfer/view.h) and the
 * descriptors that go with it.  The daemon itself never enters a container.
 */
#ifndef CORE_CONTAINER_VIEW_H
#define CORE_CONTAINER_VIEW_H

#include <stdbool.h>

#include "base/json.h"
#include "core/operation/task.h"
#include "model/container.h"
#include "transfer/child.h"

struct container_view {
    json_t *request; /* {"view": …}; more may be added for the verb */
    int fds[CHILD_FDS_MAX];
    size_t fd_count;
    bool is_running;
};

struct container_view_spec {
    bool has_mounts;  /* volumes and bind mounts in their places */
    bool is_writable; /* a stopped container's own layer takes what is written */
};

bool container_is_running(const struct container *container);

/* BUSY when the container is just starting or ending.  container_view_done() also after a failure.
 */
int container_view_open(struct task *task, const struct container *container,
                        const struct container_view_spec *spec, struct container_view *view,
                        struct error *err);
void container_view_done(struct container_view *view);
#define cleanup_container_view CLEANUP(container_view_done)

#endif
