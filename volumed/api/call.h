/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a door's handler works with: the HTTP call, a task for core, the values in the path; and the
 * helpers that all doors share for finding routes, reading bodies and answering in JSON.
 */
#ifndef API_CALL_H
#define API_CALL_H

#include <stdbool.h>

#include "base/json.h"
#include "core/operation/task.h"
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
    const char *pattern; /* "/volumes/{}/json"; {} is one segment, {*} one or more, once a pattern.
                            A word in the braces is for readers: {name}, {*name}. */
    call_handler_fn handler;
};

/*
 * Begins a call: fills 'task' from the worker's own ('origin': service and connection) and from the
 * request (memory, actor, Idempotency-Key), and points 'call' at both.
 */
void call_begin(struct call *call, struct task *task, const struct task *origin,
                struct http_call *http);

/*
 * The body as JSON: an object, or NULL with err.  An empty body, or null, is INVALID unless
 * is_optional (then
 * {}).  A Content-Type that is not JSON is INVALID; none at all is taken for JSON.
 */
json_t *call_body_json(struct call *call, bool is_optional, struct error *err);

/* Query values; absent leaves *value.  Docker's booleans: 0, false, no, none, "" are false, all
 * else true. */
int call_query_bool(const struct call *call, const char *name, bool *value, struct error *err);
int call_query_int(const struct call *call, const char *name, int64_t *value, struct error *err);

/* Answers with JSON; takes over 'json'. */
int call_reply_json(struct call *call, int status, json_t *json, struct error *err);
int call_reply_empty(struct call *call, int status, struct error *err);

/*
 * Answers an error: {"message": …, "code": "not_found"}.  Docker's clients read the message, ours
 * read the code.  A reply that has begun is left as it is (the connection then ends without the
 * last chunk, which is how a client learns of it).
 */
void call_reply_error(struct call *call, int status, const struct error *error);

/* HTTP status of an error code (api/status.c). */
int status_of_error(enum error_code code);

/*
 * Finds the route of method and path and fills call->args; NULL with *status 404 or 405.  HEAD
 * finds the GET route where it has none of its own.  The first row that fits is taken.
 */
const struct route *route_find(const struct route *routes, size_t count, struct call *call,
                               const char *method, const char *path, int *status);

#endif
