/* SPDX-License-Identifier: Apache-2.0 */
/* The native door: finds the route, runs its handler, answers its error.  Handlers are by noun. */
#include "api/native/native.h"

#include "base/log.h"

static int run_route(struct call *call, int *status, struct error *err);
static void log_failure(const struct call *call, int status, const struct error *err);

void native_serve(struct http_call *http, void *worker, void *context)
{
    struct task task;
    struct call call;
    struct error err = { 0 };
    int status = 0;

    (void)context; /* all that a request needs is the worker's */
    call_begin(&call, &task, worker, http);
    if (run_route(&call, &status, &err) == 0)
        return;
    if (status == 0)
        status = status_of_error(err.code);
    log_failure(&call, status, &err);
    call_reply_error(&call, status, &err);
}

/* *status is set where the answer's status is not its error code's own. */
static int run_route(struct call *call, int *status, struct error *err)
{
    const char *method = http_method(call->http);
    const char *path = http_path(call->http);
    int found = 0;
    const struct route *route =
        route_find(native_routes, native_route_count, call, method, path, &found);

    if (route != NULL)
        return route->handler(call, err);
    if (found != 405)
        return fail(err, ERR_NOT_FOUND, "no such path '%s'", path);
    *status = found;
    return fail(err, ERR_UNSUPPORTED, "no method %s at '%s'", method, path);
}

/* What clients did wrong is theirs to read; what we could not do is the operator's as well. */
static void log_failure(const struct call *call, int status, const struct error *err)
{
    if (status >= 500)
        log_error("request failed method=%s path=%s code=%s error=\"%s\"", http_method(call->http),
                  http_path(call->http), error_code_name(err->code), err->message);
    else
        log_debug("request refused method=%s path=%s code=%s error=\"%s\"", http_method(call->http),
                  http_path(call->http), error_code_name(err->code), err->message);
}
