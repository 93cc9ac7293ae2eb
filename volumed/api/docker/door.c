/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a request on the socket to its handler: the version in the path, the headers that all of
 * Docker's answers carry, and errors as answers.  The endpoints are in routes.c.
 */
#include <stdlib.h>
#include <string.h>

#include "api/docker/docker.h"
#include "base/log.h"

#define TEXT_OF2(value) #value
#define TEXT_OF(value)  TEXT_OF2(value)
#define VERSION_MIN     "1." TEXT_OF(DOCKER_API_MINOR_MIN)
#define VERSION_MAX     "1." TEXT_OF(DOCKER_API_MINOR_MAX)

static void add_headers(struct http_call *http);
static int request_dispatch(struct call *call, struct error *err);
static int version_strip(struct call *call, const char **path, struct error *err);
static int version_check(const char *version, int *api_minor, struct error *err);
static void answer_error(struct call *call, const struct error *error);

void docker_serve(struct http_call *http, void *worker, void *context)
{
    struct call call;
    struct task task;
    struct error err = { 0 };

    (void)context; /* all that a request needs is the worker's */
    call_begin(&call, &task, worker, http);
    add_headers(http);
    if (request_dispatch(&call, &err) < 0)
        answer_error(&call, &err);
}

static void add_headers(struct http_call *http)
{
    http_reply_header(http, "Api-Version", VERSION_MAX);
    http_reply_header(http, "Docker-Experimental", "false");
    http_reply_header(http, "Ostype", "linux");
}

static int request_dispatch(struct call *call, struct error *err)
{
    const char *path;
    int status;

    if (version_strip(call, &path, err) < 0)
        return -1;
    const struct route *route =
        route_find(docker_routes, docker_route_count, call, http_method(call->http), path, &status);
    if (route == NULL) /* dockerd answers a wrong method in the same way */
        return fail(err, ERR_NOT_FOUND, "page not found");
    return route->handler(call, err);
}

/* "/v1.43/info" is "/info" in version 1.43; without a version it is the newest. */
static int version_strip(struct call *call, const char **path, struct error *err)
{
    const char *whole = http_path(call->http);
    size_t length = strncmp(whole, "/v", 2) == 0 ? strspn(whole + 2, "0123456789.") : 0;

    *path = whole;
    call->api_minor = DOCKER_API_MINOR_MAX;
    if (length == 0 || whole[2 + length] != '/')
        return 0;
    *path = whole + 2 + length;
    return version_check(arena_strndup(call->task->mem, whole + 2, length), &call->api_minor, err);
}

static int version_check(const char *version, int *api_minor, struct error *err)
{
    char *rest;
    long major = strtol(version, &rest, 10);
    long minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;

    if (major > 1 || (major == 1 && minor > DOCKER_API_MINOR_MAX))
        return fail(err, ERR_INVALID,
                    "client version %s is too new. Maximum supported API version is " VERSION_MAX,
                    version);
    if (major < 1 || minor < DOCKER_API_MINOR_MIN)
        return fail(err, ERR_INVALID,
                    "client version %s is too old. Minimum supported API version is " VERSION_MIN
                    ", please upgrade your client to a newer version",
                    version);
    *api_minor = (int)minor;
    return 0;
}

static void answer_error(struct call *call, const struct error *error)
{
    /* Docker's clients take our 202 for a success with a body, which it is not. */
    int status = error->code == ERR_PENDING ? 503 : status_of_error(error->code);

    if (status == 500 && !http_client_is_gone(call->http)) /* that one left is no failure */
        log_error("request failed method=%s path=%s error=\"%s\"", http_method(call->http),
                  http_path(call->http), error->message);
    call_reply_error(call, status, error);
}
