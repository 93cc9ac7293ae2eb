/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /containers/create and /update: Docker's bodies taken apart into core's specs.  Checking and
 * completing them is core/container's.
 */
#include "api/docker/handlers.h"
#include "api/docker/query.h"
#include "core/container.h"

static const char *wanted_name(const struct call *call);
static json_t *created_json(const char *id, const char *const *warnings);

int docker_container_create(struct call *call, struct error *err)
{
    cleanup_json json_t *body = call_body_json(call, false, err);
    struct container_spec spec = { .name = wanted_name(call), .config = body };
    const char *const *warnings = NULL;
    const char *id;

    if (body == NULL || json_get_text(body, "Image", call->task->mem, &spec.image, err) < 0)
        return -1;
    spec.host_config = json_member(body, "HostConfig");
    spec.networking = json_member(json_member(body, "NetworkingConfig"), "EndpointsConfig");
    if (container_create(call->task, &spec, &id, &warnings, err) < 0)
        return -1;
    return call_reply_json(call, 201, created_json(id, warnings), err);
}

int docker_container_update(struct call *call, struct error *err)
{
    cleanup_json json_t *body = call_body_json(call, false, err);

    if (body == NULL || container_update(call->task, call->args[0], body, err) < 0)
        return -1;
    return call_reply_json(call, 200, json_pack("{s:n}", "Warnings"), err);
}

/* Clients may write the name with the slash that inspect shows. */
static const char *wanted_name(const struct call *call)
{
    const char *name = query_text(call, "name");

    return name != NULL && *name == '/' ? name + 1 : name;
}

static json_t *created_json(const char *id, const char *const *warnings)
{
    json_t *created = json_object();

    json_set(created, "Id", json_text(id));
    json_set(created, "Warnings", json_list(warnings));
    return created;
}
