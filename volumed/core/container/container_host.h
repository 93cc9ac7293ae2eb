/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's HostConfig: what a container may use of the host, checked and completed. */
#ifndef CORE_CONTAINER_HOST_H
#define CORE_CONTAINER_HOST_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

#define HOST_WARNINGS_MAX 8

struct host_warnings {
    size_t count;
    const char *items[HOST_WARNINGS_MAX + 1]; /* NULL-terminated */
};

/*
 * The HostConfig that is kept.  Returns a new reference, or NULL with dockerd's texts.  What we
 * accept and do not do is told in 'warnings' (text in 'mem').
 */
json_t *host_config_complete(const json_t *request, struct arena *mem,
                             struct host_warnings *warnings, struct error *err);

/* Adds one, unless it is NULL or they are too many. */
void host_warn(struct host_warnings *warnings, const char *message);

/* Takes the members of an update request (resources, RestartPolicy) over; 'host_config' changes. */
int host_config_update(json_t *host_config, const json_t *update, struct error *err);

/* "mode" of NetworkMode: none host private container:<ref>. */
bool host_network_is_host(const json_t *host_config);

#endif
