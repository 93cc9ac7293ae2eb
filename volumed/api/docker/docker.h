/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Docker door: what `docker` and the libraries built on the Docker Engine API may ask of
 * volumed's socket.  It turns Docker's JSON into core's specs and core's results into Docker's
 * JSON; it decides nothing itself.
 */
#ifndef DOCKER_DOCKER_H
#define DOCKER_DOCKER_H

#include "api/call.h"

/* The versions spoken: 1.MIN to 1.MAX. */
#define DOCKER_API_MINOR_MIN 24
#define DOCKER_API_MINOR_MAX 43

/*
 * Answers one request, errors included.  'origin' is the worker's own task.  Streams outlive the
 * request and are fed by any worker: the server's workers must be 'struct task', like 'origin'.
 */
void docker_serve(struct http_call *http, const struct task *origin);

/* Every endpoint, without the version prefix. */
extern const struct route docker_routes[];
extern const size_t docker_route_count;

#endif
