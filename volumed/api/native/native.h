/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own API, /volumed/v1/…: plain snake_case JSON for what Docker's API has no word for.  This
 * header is what main needs to open the door; handlers.h is for the folder itself.
 */
#ifndef API_NATIVE_NATIVE_H
#define API_NATIVE_NATIVE_H

#include "api/call.h"

#define NATIVE_PREFIX "/volumed/"

/* An http_handler_fn; 'worker' is a struct task with the worker's service and connection. */
void native_serve(struct http_call *http, void *worker, void *context);

/* The door's routes; schema/api/openapi.yaml has the same, and `make lint` compares them. */
extern const struct route native_routes[];
extern const size_t native_route_count;

#endif
