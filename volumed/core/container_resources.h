/* SPDX-License-Identifier: Apache-2.0 */
/* Limits: from Docker's HostConfig to the OCI specification's linux.resources. */
#ifndef CORE_CONTAINER_RESOURCES_H
#define CORE_CONTAINER_RESOURCES_H

#include "base/json.h"

/* Without device rules; what is zero is left out.  New reference. */
json_t *resources_json(const json_t *host_config);

#endif
