/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoints that move a container from state to state and answer with nothing but a status. */
#include "api/docker/handlers.h"
#include "api/docker/query.h"
#include "core/container/container.h"

#define STOP_TIMEOUT_DEFAULT (-1) /* the container's own */
#define STOP_TIMEOUT_NEVER   (-2)

static int stop_timeout(const struct call *call, int64_t *timeout_s, struct error *err);
static int reply_changed(struct call *call, bool changed, struct error *err);
static json_t *prune_report(const struct prune_result *result);

int docker_container_start(struct call *call, struct error *err)
{
    bool changed;

    if (container_start(call->task, call->args[0], &changed, err) < 0)
        return -1;
    return reply_changed(call, changed, err);
}

int docker_container_stop(struct call *call, struct error *err)
{
    int64_t timeout_s;
    bool changed;

    if (stop_timeout(call, &timeout_s, err) < 0 ||
        container_stop(call->task, call->args[0], query_text(call, "signal"), timeout_s, &changed,
                       err) < 0)
        return -1;
    return reply_changed(call, changed, err);
}

int docker_container_restart(struct call *call, struct error *err)
{
    int64_t timeout_s;

    if (stop_timeout(call, &timeout_s, err) < 0 ||
        container_restart(call->task, call->args[0], query_text(call, "signal"), timeout_s, err) <
            0)
        return -1;
    return call_reply_empty(call, 204, err);
}

int docker_container_kill(struct call *call, struct error *err)
{
    if (container_kill(call->task, call->args[0], query_text(call, "signal"), err) < 0)
        return -1;
    return call_reply_empty(call, 204, err);
}

int docker_container_pause(struct call *call, struct error *err)
{
    if (container_pause(call->task, call->args[0], err) < 0)
        return -1;
    return call_reply_empty(call, 204, err);
}

int docker_container_unpause(struct call *call, struct error *err)
{
    if (container_unpause(call->task, call->args[0], err) < 0)
        return -1;
    return call_reply_empty(call, 204, err);
}

int docker_container_rename(struct call *call, struct error *err)
{
    const char *name = query_text(call, "name");

    if (name == NULL)
        return fail(err, ERR_INVALID, "Neither old nor new names may be empty");
    if (*name == '/')
        name++;
    if (container_rename(call->task, call->args[0], name, err) < 0)
        return -1;
    return call_reply_empty(call, 204, err);
}

int docker_container_resize(struct call *call, struct error *err)
{
    int rows;
    int columns;

    if (query_size(call, &rows, &columns, err) < 0 ||
        container_resize(call->task, call->args[0], rows, columns, err) < 0)
        return -1;
    return call_reply_empty(call, 200, err);
}

int docker_container_remove(struct call *call, struct error *err)
{
    struct container_remove_spec spec = {
        .force = query_flag(call, "force"),
        .with_volumes = query_flag(call, "v"),
        .is_link = query_flag(call, "link"),
    };

    if (container_remove(call->task, call->args[0], &spec, err) < 0)
        return -1;
    return call_reply_empty(call, 204, err);
}

int docker_container_prune(struct call *call, struct error *err)
{
    static const char *const known[] = { "label", "label!", "until", NULL };
    struct prune_result result = { 0 };
    struct filter filter = { 0 };

    if (query_filter(call, call->task->mem, known, &filter, err) < 0 ||
        container_prune(call->task, &filter, false, &result, err) < 0)
        return -1;
    return call_reply_json(call, 200, prune_report(&result), err);
}

/* t: seconds; absent is the container's own, -1 waits for ever. */
static int stop_timeout(const struct call *call, int64_t *timeout_s, struct error *err)
{
    const char *text = query_text(call, "t");

    *timeout_s = STOP_TIMEOUT_DEFAULT;
    if (text == NULL)
        return 0;
    if (call_query_int(call, "t", timeout_s, err) < 0)
        return -1;
    if (*timeout_s < 0)
        *timeout_s = STOP_TIMEOUT_NEVER;
    return 0;
}

static int reply_changed(struct call *call, bool changed, struct error *err)
{
    return call_reply_empty(call, changed ? 204 : 304, err);
}

static json_t *prune_report(const struct prune_result *result)
{
    json_t *report = json_object();
    json_t *ids = json_array();

    for (size_t i = 0; i < result->count; i++)
        json_add(ids, json_text(result->names[i]));
    json_set(report, "ContainersDeleted", ids);
    json_set(report, "SpaceReclaimed", json_integer(result->reclaimed_bytes));
    return report;
}
