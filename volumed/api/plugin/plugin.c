/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol's frame: routes, the handshake, errors.  What it says of volumes is in volume.c. */
#include "api/plugin/plugin.h"

#include "api/plugin/handlers.h"
#include "base/log.h"

#define STATUS_FAILED 500 /* of every error: both engines read "Err" and show it */

static int dispatch(struct call *call, int *status, struct error *err);
static void answer_error(struct call *call, int status, const struct error *error);

const struct route plugin_routes[] = {
    { "POST", "/Plugin.Activate", plugin_activate },
    { "POST", "/VolumeDriver.Capabilities", plugin_capabilities },
    { "POST", "/VolumeDriver.Create", plugin_volume_create },
    { "POST", "/VolumeDriver.Get", plugin_volume_get },
    { "POST", "/VolumeDriver.List", plugin_volume_list },
    { "POST", "/VolumeDriver.Mount", plugin_volume_mount },
    { "POST", "/VolumeDriver.Path", plugin_volume_path },
    { "POST", "/VolumeDriver.Remove", plugin_volume_remove },
    { "POST", "/VolumeDriver.Unmount", plugin_volume_unmount },
};
const size_t plugin_route_count = ARRAY_SIZE(plugin_routes);

void plugin_serve(struct http_call *http, void *worker, void *context)
{
    struct task task;
    struct call call;
    struct error err = { 0 };
    int status = STATUS_FAILED;

    (void)context; /* all that a request needs is the worker's */
    call_begin(&call, &task, worker, http);
    if (dispatch(&call, &status, &err) < 0)
        answer_error(&call, status, &err);
}

int plugin_activate(struct call *call, struct error *err)
{
    static const char *const implemented[] = { "VolumeDriver", NULL };
    json_t *json = json_object();

    json_set(json, "Implements", json_list(implemented));
    return call_reply_json(call, 200, json, err);
}

int plugin_capabilities(struct call *call, struct error *err)
{
    json_t *scope = json_object();
    json_t *json = json_object();

    json_set(scope, "Scope", json_text("local")); /* names are this host's */
    json_set(json, "Capabilities", scope);
    return call_reply_json(call, 200, json, err);
}

int plugin_reply(struct call *call, json_t *json, struct error *err)
{
    json_set(json, "Err", json_text(""));
    return call_reply_json(call, 200, json, err);
}

/* Sets *status where it is not that of a verb that failed: engines take 404 for a verb that we do
 * not have. */
static int dispatch(struct call *call, int *status, struct error *err)
{
    const char *method = http_method(call->http);
    const char *path = http_path(call->http);
    int found = STATUS_FAILED;
    const struct route *route =
        route_find(plugin_routes, plugin_route_count, call, method, path, &found);

    if (route != NULL)
        return route->handler(call, err);
    *status = found;
    return fail(err, ERR_NOT_FOUND, "the plugin has no %s %s", method, path);
}

static void answer_error(struct call *call, int status, const struct error *error)
{
    json_t *json = json_object();
    struct error err;

    json_set(json, "Err", json_text(error->message));
    if (error->code == ERR_SYSTEM || error->code == ERR_CORRUPT)
        log_error("plugin request failed path=%s error=\"%s\"", http_path(call->http),
                  error->message);
    if (http_reply_has_begun(call->http))
        json_decref(json);
    else if (call_reply_json(call, status, json, &err) < 0)
        log_debug("error not delivered error=\"%s\" reason=\"%s\"", error->message, err.message);
}
