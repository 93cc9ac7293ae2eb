/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a door's handler works with: the HTTP call, a task for core, the values in the path; and the
 * helpers that all doors share for reading bodies and answering in JSON.
 */
#ifndef API_CALL_H
#define API_CALL_H

#include <stdbool.h>

#include "base/json.h"
#include "core/task.h"
#include "http/http.h"

#define CALL_ARGS_MAX 4
#define CALL_BODY_MAX ((size_t)4 << 20)

struct call {
    struct http_call *http;
    struct task *task;               /* its db connection and arena are the worker's */
    const char *args[CALL_ARGS_MAX]; /* what stood for {name} in the route's pattern, in order */
    int api_minor; /* Docker door: 43 for /v1.43/…, the newest for unversioned paths */
};

/* Returns -1 with err filled when it has not replied; the door then answers the error its own way.
 */
typedef int (*call_handler_fn)(struct call *call, struct error *err);

struct route {
    const char *method;
    const char *pattern; /* "/volumes/{}/json"; {} is one segment, {*} (last, or before a literal)
                            is one or more */
    call_handler_fn handler;
};

/* The body as JSON: object, or NULL reference with err.  An empty body is INVALID unless
 * is_optional (then {}). */
json_t *call_body_json(struct call *call, bool is_optional, struct error *err);

/* Query values; absent leaves *value.  Docker's booleans: 0, false, no, none, "" are false, all
 * else true. */
int call_query_bool(const struct call *call, const char *name, bool *value, struct error *err);
int call_query_int(const struct call *call, const char *name, int64_t *value, struct error *err);

/* Answers with JSON; takes over 'json'. */
int call_reply_json(struct call *call, int status, json_t *json, struct error *err);
int call_reply_empty(struct call *call, int status, struct error *err);

/* HTTP status of an error code (api/status.c). */
int status_of_error(enum error_code code);

/* Finds the route of method and path; NULL with *status 404 or 405. */
const struct route *route_find(const struct route *routes, size_t count, struct arena *mem,
                               const char *method, const char *path,
                               const char *args[CALL_ARGS_MAX], int *status);

#endif
