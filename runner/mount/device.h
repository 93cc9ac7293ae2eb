/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies in a container's /dev: the nodes that every container has, those of the spec, and the
 * links.  All are made at descriptors, never through a link of the image; a name that is taken by
 * anything but the very device is an error.  Who may open them is cgroup_device.c's.
 */
#ifndef RUNNER_DEVICE_H
#define RUNNER_DEVICE_H

#include <stdbool.h>

#include "base/error.h"
#include "runner/spec/spec.h"

/* Called before the host's tree is let go: without the right to make nodes the host's are bound. */
int devices_make(const struct spec *spec, int root_fd, struct error *err);

/* Binds the terminal 'terminal_fd' on /dev/console. */
int device_bind_console(int root_fd, int terminal_fd, struct error *err);

/* The host's /dev/null (O_PATH), checked to be it. */
int device_open_null(struct error *err);

#endif
