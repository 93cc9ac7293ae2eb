/* SPDX-License-Identifier: Apache-2.0 */
/* A root made of read-only layers and perhaps a writable one, as a detached overlay mount. */
#ifndef RUNNER_OVERLAY_H
#define RUNNER_OVERLAY_H

#include "base/arena.h"
#include "base/error.h"

/*
 * 'text' is the annotation's JSON: {"layers": ["/top", …], "upper": "/dir", "work": "/dir"};
 * without upper the mount is read-only.  Works for any number of layers that the kernel takes
 * (500). Errors: INVALID, NOT_FOUND.
 */
int overlay_open(struct arena *mem, const char *text, struct error *err);

#endif
