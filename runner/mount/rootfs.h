/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root of a container: the directory root.path, or an overlay made of the annotation
 * org.volumed.rootfs, as a detached mount; attached in the container's mount namespace, and at last
 * made its '/'.
 */
#ifndef RUNNER_ROOTFS_H
#define RUNNER_ROOTFS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "runner/spec/spec.h"

#define ROOTFS_ANNOTATION "org.volumed.rootfs"

/* Opens the root as a detached mount, with the host's view.  Errors: NOT_FOUND, INVALID. */
int rootfs_open(struct arena *mem, const struct spec *spec, struct error *err);

/*
 * Takes the mount namespace of the calling process away from the host's propagation and attaches
 * the root in it.
 */
int rootfs_attach(const struct spec *spec, int root_fd, struct error *err);

/* Makes the attached root the calling process's '/', and lets go of the host's tree. */
int rootfs_enter(int root_fd, bool without_pivot, struct error *err);

/* After all is made: read-only if the spec says so, and the propagation it asks for. */
int rootfs_finish(const struct spec *spec, int root_fd, struct error *err);

#endif
