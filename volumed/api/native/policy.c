/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's policies. */
#include "core/snapshot/policy.h"

#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"

static json_t *encode_policy(const struct policy *policy);
static json_t *encode_verdicts(const struct policy_verdicts *verdicts);
static json_t *encode_item(const struct policy_item *item);

int native_policy_list(struct call *call, struct error *err)
{
    struct policy *list = NULL;
    int count = policy_list(call->task, &list, err);

    if (count < 0)
        return -1;
    json_t *policies = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(policies, encode_policy(&list[i]));
    return call_reply_json(call, 200, encode_list("policies", policies), err);
}

int native_policy_create(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct policy_spec, name, REQUIRED),
        FIELD(TEXT, struct policy_spec, schedule, REQUIRED),
        FIELD(TEXT, struct policy_spec, keep, OPTIONAL),
        FIELD(INT, struct policy_spec, jitter_ms, OPTIONAL),
        FIELD(TEXT, struct policy_spec, volume, OPTIONAL),
        FIELD(TEXT, struct policy_spec, label, OPTIONAL),
        FIELD(TEXT, struct policy_spec, container, OPTIONAL),
        FIELDS_END,
    };
    struct policy_spec spec = { 0 };
    struct policy policy;

    if (decode_body(call, fields, &spec, err) < 0 ||
        policy_create(call->task, &spec, &policy, err) < 0)
        return -1;
    return call_reply_json(call, 201, encode_policy(&policy), err);
}

int native_policy_get(struct call *call, struct error *err)
{
    struct policy policy;

    if (policy_get(call->task, call->args[0], &policy, err) < 0)
        return -1;
    return call_reply_json(call, 200, encode_policy(&policy), err);
}

int native_policy_remove(struct call *call, struct error *err)
{
    struct policy policy;

    if (policy_get(call->task, call->args[0], &policy, err) < 0 ||
        policy_remove(call->task, policy.id, err) < 0)
        return -1;
    json_t *json = json_object();
    json_set(json, "policy", json_text(policy.name));
    return call_reply_json(call, 200, json, err);
}

int native_policy_plan(struct call *call, struct error *err)
{
    struct policy_verdicts *list = NULL;
    struct policy policy;

    if (policy_get(call->task, call->args[0], &policy, err) < 0)
        return -1;
    int count = policy_plan(call->task, policy.id, &list, err);
    if (count < 0)
        return -1;
    json_t *targets = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(targets, encode_verdicts(&list[i]));
    json_t *json = encode_list("targets", targets);
    json_set(json, "policy", json_text(policy.name));
    json_set(json, "keep", json_text(policy.keep));
    encode_time_ms(json, "next", policy.next_ms);
    return call_reply_json(call, 200, json, err);
}

int native_policy_run(struct call *call, struct error *err)
{
    struct policy_result result = { 0 };

    if (policy_run(call->task, call->args[0], &result, err) < 0)
        return -1;
    json_t *json = json_object();
    json_set(json, "policy", json_text(call->args[0]));
    json_set(json, "made", json_integer(result.made));
    json_set(json, "expired", json_integer(result.expired));
    return call_reply_json(call, 200, json, err);
}

static json_t *encode_policy(const struct policy *policy)
{
    json_t *json = json_object();
    json_t *target = json_object();

    json_set(target, "kind", json_text(policy->target_kind));
    json_set(target, "name", json_text(policy->target));
    json_set(json, "id", json_text(policy->id));
    json_set(json, "name", json_text(policy->name));
    json_set(json, "schedule", json_text(policy->schedule));
    json_set(json, "keep", json_text(policy->keep));
    json_set(json, "jitter_ms", json_integer(policy->jitter_ms));
    json_set(json, "target", target);
    json_set(json, "dormant", json_boolean(policy->is_dormant));
    json_set(json, "failures", json_integer(policy->failures));
    json_set(json, "error", json_text_or_empty(policy->error));
    encode_time_ms(json, "created", policy->created_ms);
    encode_time_ms(json, "next", policy->next_ms);
    encode_time_ms(json, "last", policy->last_ms);
    return json;
}

static json_t *encode_verdicts(const struct policy_verdicts *verdicts)
{
    json_t *json = json_object();
    json_t *snapshots = json_array();

    json_set(json, "kind", json_text(verdicts->volume_id != NULL ? "volume" : "container"));
    json_set(json, "name", json_text(verdicts->name));
    for (int i = 0; i < verdicts->count; i++)
        json_array_append_new(snapshots, encode_item(&verdicts->items[i]));
    json_set(json, "snapshots", snapshots);
    return json;
}

static json_t *encode_item(const struct policy_item *item)
{
    json_t *json = json_object();
    json_t *reasons = json_array();

    for (size_t i = 0; i < item->verdict.reason_count; i++)
        json_array_append_new(reasons, json_text(item->verdict.reasons[i]));
    json_set(json, "name", json_text(item->name));
    json_set(json, "keep", json_boolean(item->verdict.is_kept));
    json_set(json, "reasons", reasons);
    encode_time_ms(json, "created", item->facts.created_ms);
    return json;
}
