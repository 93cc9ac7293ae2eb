/* SPDX-License-Identifier: Apache-2.0 */
/* The other side of container_attach(): those who attached before the container ran. */
#ifndef CORE_ATTACH_H
#define CORE_ATTACH_H

#include "core/container/container_io.h"

/* Connects everybody who waits for this container; 'box_fd' is its box with a listening supervisor.
 */
void attach_connect(int box_fd, const char *id);

/* It will not run: everybody is told. */
void attach_drop(const char *id);

#endif
