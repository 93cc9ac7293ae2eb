/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the machine that clients ask for. */
#ifndef CORE_HOST_H
#define CORE_HOST_H

#include <stdint.h>

#include "core/operation/task.h"

int64_t host_memory_bytes(void);

/* PRETTY_NAME of os-release, or "Linux". */
const char *host_os_name(struct task *task);

/* "1" or "2". */
const char *host_cgroup_version(void);

#endif
