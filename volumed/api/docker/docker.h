/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Docker door: what `docker` and the libraries built on the Docker Engine API may ask of
 * volumed's socket.  It turns Docker's JSON into core's specs and core's results into Docker's
 * JSON; it decides nothing itself.
 */
#ifndef API_DOCKER_DOCKER_H
#define API_DOCKER_DOCKER_H

#include "api/call.h"

/* The versions spoken: 1.MIN to 1.MAX. */
#define DOCKER_API_MINOR_MIN 24
#define DOCKER_API_MINOR_MAX 43

/* An http_handler_fn; 'worker' is a struct task with the worker's service and connection. */
void docker_serve(struct http_call *http, void *worker, void *context);

/* Every endpoint, without the version prefix. */
extern const struct route docker_routes[];
extern const size_t docker_route_count;

#endif
