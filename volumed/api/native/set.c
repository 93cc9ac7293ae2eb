/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's sets. */
#include "core/snapshot/set.h"

#include <string.h>

#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"
#include "api/native/hooks.h"

struct create_request {
    struct set_spec spec;
    struct hooks_request hooks;
};

struct rollback_request {
    bool dry_run;
};

static json_t *encode_set(const struct snapshot_set *set);
static json_t *containers_of(const struct snapshot_set *set);

int native_set_list(struct call *call, struct error *err)
{
    struct snapshot_set *list = NULL;
    int count = set_list(call->task, &list, err);

    if (count < 0)
        return -1;
    json_t *sets = json_array();
    for (int i = 0; i < count; i++)
        json_add(sets, encode_set(&list[i]));
    return call_reply_json(call, 200, encode_list("sets", sets), err);
}

int native_set_create(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD_AS(TEXT, "name", struct create_request, spec.name, REQUIRED),
        FIELD_AS(LIST, "volumes", struct create_request, spec.volumes, OPTIONAL),
        FIELD_AS(LIST, "containers", struct create_request, spec.containers, OPTIONAL),
        FIELD_AS(PAIRS, "labels", struct create_request, spec.labels, OPTIONAL),
        FIELD_AS(INT, "freeze_timeout_ms", struct create_request, spec.freeze_timeout_ms, OPTIONAL),
        HOOKS_FIELDS(struct create_request, hooks),
        FIELDS_END,
    };
    struct create_request request = { 0 };
    struct snapshot_set set;

    if (decode_body(call, fields, &request, err) < 0 ||
        decode_hooks(call, &request.hooks, &request.spec.hooks, err) < 0 ||
        set_create(call->task, &request.spec, &set, err) < 0)
        return -1;
    json_t *json = encode_set(&set);
    json_set(json, "warnings", json_list(set.warnings));
    return call_reply_json(call, 201, json, err);
}

int native_set_get(struct call *call, struct error *err)
{
    struct snapshot_set set;

    if (set_get(call->task, call->args[0], &set, err) < 0)
        return -1;
    return call_reply_json(call, 200, encode_set(&set), err);
}

int native_set_remove(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD_AS(BOOL, "dry_run", struct set_remove_spec, is_dry_run, OPTIONAL),
        FIELD_AS(BOOL, "now", struct set_remove_spec, is_now, OPTIONAL),
        FIELDS_END,
    };
    struct set_remove_spec spec = { 0 };
    struct snapshot_set set;

    if (decode_query(call, fields, &spec, err) < 0 ||
        set_get(call->task, call->args[0], &set, err) < 0 ||
        set_remove(call->task, set.id, &spec, err) < 0)
        return -1;
    json_t *json = encode_set(&set);
    json_set(json, "dry_run", json_boolean(spec.is_dry_run));
    return call_reply_json(call, 200, json, err);
}

int native_set_rollback(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(BOOL, struct rollback_request, dry_run, OPTIONAL),
        FIELDS_END,
    };
    struct rollback_request request = { 0 };
    struct snapshot_set safety = { 0 };

    if (decode_body(call, fields, &request, err) < 0 ||
        set_rollback(call->task, call->args[0], request.dry_run, &safety, err) < 0)
        return -1;
    json_t *json = json_object();
    json_set(json, "set", json_text(call->args[0]));
    json_set(json, "safety", request.dry_run ? json_null() : encode_set(&safety));
    json_set(json, "dry_run", json_boolean(request.dry_run));
    return call_reply_json(call, 200, json, err);
}

int native_set_clone(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct set_clone_spec, prefix, OPTIONAL),
        FIELD(TEXT, struct set_clone_spec, suffix, OPTIONAL),
        FIELD(TEXT, struct set_clone_spec, pool, OPTIONAL),
        FIELD(PAIRS, struct set_clone_spec, labels, OPTIONAL),
        FIELDS_END,
    };
    struct set_clone_spec spec = { 0 };
    struct volume *volumes = NULL;

    if (decode_body(call, fields, &spec, err) < 0)
        return -1;
    int count = set_clone(call->task, call->args[0], &spec, &volumes, err);
    if (count < 0)
        return -1;
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_add(list, encode_volume(call->task, &volumes[i]));
    return call_reply_json(call, 201, encode_list("volumes", list), err);
}

static json_t *encode_set(const struct snapshot_set *set)
{
    json_t *json = json_object();
    json_t *members = json_array();

    json_set(json, "id", json_text(set->id));
    json_set(json, "name", json_text(set->name));
    json_set(json, "reason", json_text(set->reason));
    json_set(json, "fence", json_text(set->fence));
    json_set(json, "pause_ns", json_integer(set->pause_ns));
    json_set(json, "labels", pairs_to_json(&set->labels));
    json_set(json, "containers", containers_of(set));
    json_set(json, "size", json_integer(set->size));
    json_set(json, "whole", json_boolean((int64_t)set->member_count == set->size));
    for (size_t i = 0; i < set->member_count; i++)
        json_add(members, encode_snapshot(&set->members[i]));
    json_set(json, "members", members);
    encode_time_ms(json, "created", set->created_ms);
    return json;
}

/* We wrote it; what cannot be read is nothing. */
static json_t *containers_of(const struct snapshot_set *set)
{
    struct error ignored;
    json_t *containers = json_read(set->containers, strlen(set->containers), &ignored);

    return containers != NULL ? containers : json_array();
}
