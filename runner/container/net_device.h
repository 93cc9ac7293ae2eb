/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.netDevices: interfaces of the runtime's network namespace that become a container's.  They
 * keep their global addresses and are up afterwards; what the kernel does with them when the
 * namespace ends is its own: hardware comes back, the rest is gone.
 */
#ifndef RUNNER_NET_DEVICE_H
#define RUNNER_NET_DEVICE_H

#include <jansson.h>
#include <sys/types.h>

#include "base/error.h"

/* Checks the names of the object, which may be NULL.  Errors: INVALID. */
int net_devices_check(json_t *devices, struct error *err);

/*
 * Moves them to the network namespace of process 'pid'.  Errors: NOT_FOUND names the interface that
 * is not there; EXISTS, when the name is taken in the container.
 */
int net_devices_move(json_t *devices, pid_t pid, struct error *err);

#endif
