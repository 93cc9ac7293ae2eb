/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of a container that are hidden, and paths that are read-only.  Files are hidden by the
 * host's /dev/null, directories by an empty read-only tmpfs; nothing of the container's own is used
 * for it.
 */
#ifndef RUNNER_MASK_H
#define RUNNER_MASK_H

#include "base/error.h"

/* 'null_fd' is device_open_null()'s.  Paths that do not exist are as good as hidden. */
int masks_apply(const char *const *paths, int root_fd, int null_fd, struct error *err);

int readonly_paths_apply(const char *const *paths, int root_fd, struct error *err);

#endif
