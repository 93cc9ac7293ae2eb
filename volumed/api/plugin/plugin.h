/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin door: Docker's volume plugin protocol, by which dockerd and podman keep their volumes
 * with volumed (docker volume create -d volumed …).  Everything is a POST; errors stand in "Err".
 * It is served from the first moment on, for an engine waits half a minute for a dead plugin.
 */
#ifndef API_PLUGIN_PLUGIN_H
#define API_PLUGIN_PLUGIN_H

#include "api/call.h"

/* An http_handler_fn; 'worker' is a struct task with the worker's service and connection. */
void plugin_serve(struct http_call *http, void *worker, void *context);

extern const struct route plugin_routes[];
extern const size_t plugin_route_count;

#endif
