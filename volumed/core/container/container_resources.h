/* SPDX-License-Identifier: Apache-2.0 */
/* Limits: from Docker's HostConfig to the OCI specification's linux.resources. */
#ifndef CORE_CONTAINER_RESOURCES_H
#define CORE_CONTAINER_RESOURCES_H

#include "base/error.h"
#include "base/json.h"

/* Without device rules; what is zero is left out.  New reference; NULL with INVALID when a device
 * to throttle is none. */
json_t *resources_json(const json_t *host_config, struct error *err);

#endif
