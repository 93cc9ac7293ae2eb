/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's leases: who may write to a volume. */
#include "core/attachment/lease.h"

#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"

struct access_request {
    const char *access;
    const char *succession;
};

static json_t *encode_lease(const struct lease *lease);
static int reply(struct call *call, struct error *err);

int native_lease_list(struct call *call, struct error *err)
{
    return reply(call, err);
}

int native_lease_access(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct access_request, access, REQUIRED),
        FIELD(TEXT, struct access_request, succession, OPTIONAL),
        FIELDS_END,
    };
    struct access_request request = { 0 };

    if (decode_body(call, fields, &request, err) < 0 ||
        volume_set_access(call->task, call->args[0], request.access, request.succession, err) < 0)
        return -1;
    return reply(call, err);
}

int native_lease_fence(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct fence_spec, container, OPTIONAL),
        FIELD(TEXT, struct fence_spec, how, OPTIONAL),
        FIELDS_END,
    };
    struct fence_spec spec = { .how = "auto" };
    struct fenced *list = NULL;
    size_t count = 0;

    if (decode_body(call, fields, &spec, err) < 0 ||
        volume_fence(call->task, call->args[0], &spec, &list, &count, err) < 0)
        return -1;
    json_t *fenced = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *json = json_object();
        json_set(json, "container_id", json_text(list[i].container_id));
        json_set(json, "container", json_text(list[i].container_name));
        json_set(json, "how", json_string(list[i].is_stopped ? "stop" : "read-only"));
        json_set(json, "epoch", json_integer(list[i].epoch));
        json_array_append_new(fenced, json);
    }
    json_t *json = encode_list("fenced", fenced);
    json_set(json, "volume", json_text(call->args[0]));
    return call_reply_json(call, 200, json, err);
}

static int reply(struct call *call, struct error *err)
{
    struct volume_rule rule;
    struct lease *list = NULL;
    size_t count = 0;

    if (lease_list(call->task, call->args[0], &rule, &list, &count, err) < 0)
        return -1;
    json_t *leases = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(leases, encode_lease(&list[i]));
    json_t *json = encode_list("leases", leases);
    json_set(json, "volume", json_text(call->args[0]));
    json_set(json, "access", json_string(volume_access_name(rule.access)));
    json_set(json, "succession", json_string(lease_succession_name(rule.succession)));
    json_set(json, "epoch", json_integer(rule.epoch));
    return call_reply_json(call, 200, json, err);
}

static json_t *encode_lease(const struct lease *lease)
{
    json_t *json = json_object();

    json_set(json, "container_id", json_text(lease->container_id));
    json_set(json, "container", json_text(lease->container_name));
    json_set(json, "state", json_text(lease->state));
    json_set(json, "epoch", json_integer(lease->epoch));
    encode_time_ms(json, "since", lease->since_ms);
    return json;
}
