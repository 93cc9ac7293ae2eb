/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root of a container as `docker cp` sees it, put together by the confined child: the root
 * filesystem with volumes and bind mounts in their places, and without /proc, /sys and tmpfs.
 */
#ifndef TRANSFER_VIEW_H
#define TRANSFER_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "transfer/confined.h"

/*
 * The request's "view" (written by core/container/container_view.c):
 *
 *     "pidfd": 5               of a running container: its root filesystem is taken as it stands;
 * or "layers": [dir, …],      top first, with "upper" and "work" the container's own; when they
 *     "scratch": dir           are absent, what is written goes nowhere.  'scratch' is any
 * directory "is_read_only": false    of the root filesystem, by the container's configuration
 *     "mounts": [{"fd": 6, "path": "/data", "is_read_only": false}, …]   parents first
 */
struct view_mount {
    int tree_fd;
    const char *path;
    bool is_read_only;
    uint64_t mount_id;
};

struct view {
    struct view_mount *mounts;
    size_t mount_count;
    bool is_read_only;
};

/* Makes it the root of this process.  Nothing of the host is reachable afterwards. */
int view_enter(struct confined *run, struct view *view, struct error *err);

/*
 * DENIED with dockerd's texts when the directory lies in a read-only mount or root filesystem.
 */
int view_check_writable(const struct view *view, int fd, struct error *err);

#endif
