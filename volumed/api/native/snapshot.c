/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's snapshots and the rollback to one. */
#include "core/snapshot/snapshot.h"

#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"
#include "api/native/hooks.h"

struct create_request {
    struct snapshot_spec spec;
    struct hooks_request hooks;
};

struct rollback_request {
    const char *snapshot;
    bool dry_run;
};

static int reply_list(struct call *call, const char *volume_ref, struct error *err);

int native_snapshot_list(struct call *call, struct error *err)
{
    return reply_list(call, call->args[0], err);
}

int native_snapshot_list_all(struct call *call, struct error *err)
{
    return reply_list(call, NULL, err);
}

int native_snapshot_create(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD_AS(TEXT, "name", struct create_request, spec.name, OPTIONAL),
        FIELD_AS(PAIRS, "labels", struct create_request, spec.labels, OPTIONAL),
        FIELD_AS(INT, "freeze_timeout_ms", struct create_request, spec.freeze_timeout_ms, OPTIONAL),
        HOOKS_FIELDS(struct create_request, hooks),
        FIELDS_END,
    };
    struct create_request request = { 0 };
    struct snapshot snapshot;

    if (decode_body(call, fields, &request, err) < 0 ||
        decode_hooks(call, &request.hooks, &request.spec.hooks, err) < 0 ||
        snapshot_create(call->task, call->args[0], &request.spec, &snapshot, err) < 0)
        return -1;
    json_t *json = encode_snapshot(&snapshot);
    json_set(json, "warnings", json_list(snapshot.warnings));
    json_set(json, "cost", json_text(cost_name(snapshot.cost)));
    return call_reply_json(call, 201, json, err);
}

int native_snapshot_get(struct call *call, struct error *err)
{
    struct snapshot snapshot;

    if (snapshot_get(call->task, call->args[0], call->args[1], &snapshot, err) < 0)
        return -1;
    return call_reply_json(call, 200, encode_snapshot(&snapshot), err);
}

int native_snapshot_remove(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD_AS(BOOL, "dry_run", struct snapshot_remove_spec, is_dry_run, OPTIONAL),
        FIELD_AS(BOOL, "now", struct snapshot_remove_spec, is_now, OPTIONAL),
        FIELDS_END,
    };
    struct snapshot_remove_spec request = { 0 };
    struct snapshot snapshot = { 0 };

    if (decode_query(call, fields, &request, err) < 0)
        return -1;
    if (snapshot_get(call->task, call->args[0], call->args[1], &snapshot, err) < 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        snapshot.volume_name = call->args[0]; /* the removal tells, or a repeat's key knows */
        snapshot.name = call->args[1];
    }
    if (snapshot_remove(call->task, call->args[0], call->args[1], &request, err) < 0)
        return -1;
    json_t *json = json_object();
    json_set(json, "volume", json_text(snapshot.volume_name));
    json_set(json, "snapshot", json_text(snapshot.name));
    json_set(json, "dry_run", json_boolean(request.is_dry_run));
    return call_reply_json(call, 200, json, err);
}

int native_snapshot_rollback(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct rollback_request, snapshot, REQUIRED),
        FIELD(BOOL, struct rollback_request, dry_run, OPTIONAL),
        FIELDS_END,
    };
    struct rollback_request request = { 0 };
    struct snapshot safety = { 0 };

    if (decode_body(call, fields, &request, err) < 0 ||
        snapshot_rollback(call->task, call->args[0], request.snapshot, request.dry_run, &safety,
                          err) < 0)
        return -1;
    json_t *json = json_object();
    json_set(json, "volume", json_text(call->args[0]));
    json_set(json, "snapshot", json_text(request.snapshot));
    json_set(json, "safety", request.dry_run ? json_null() : encode_snapshot(&safety));
    json_set(json, "dry_run", json_boolean(request.dry_run));
    return call_reply_json(call, 200, json, err);
}

static int reply_list(struct call *call, const char *volume_ref, struct error *err)
{
    struct snapshot *list;
    int count = snapshot_list(call->task, volume_ref, &list, err);

    if (count < 0)
        return -1;
    json_t *snapshots = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(snapshots, encode_snapshot(&list[i]));
    return call_reply_json(call, 200, encode_list("snapshots", snapshots), err);
}
