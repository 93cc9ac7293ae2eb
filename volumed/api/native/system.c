/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's view of the whole service.  Docker's info and df are the Docker door's. */
#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"
#include "base/clock.h"
#include "core/operation/event.h"
#include "core/operation/op.h"
#include "core/pool/pool.h"
#include "core/reconcile/reconcile.h"
#include "core/service.h"
#include "core/snapshot/snapshot.h"
#include "core/volume/volume.h"

#define OPERATIONS_SHOWN 1000

struct check_request {
    bool repair;
};

static int count_objects(struct task *task, json_t *json, struct error *err);

int native_system_info(struct call *call, struct error *err)
{
    const struct service *service = call->task->service;
    cleanup_json json_t *json = json_object();
    int64_t last_seq;

    json_set(json, "version", json_text(VOLUMED_VERSION));
    json_set(json, "state_dir", json_text(service->state_dir));
    json_set(json, "boot_id", json_text(service->boot_id));
    json_set(json, "recovered", json_boolean(service->is_recovered));
    json_set(json, "uptime_ms", json_integer(clock_now_ms() - service->started_ms));
    encode_time_ms(json, "started", service->started_ms);
    if (count_objects(call->task, json, err) < 0 || event_last(call->task, &last_seq, err) < 0)
        return -1;
    json_set(json, "last_event_seq", json_integer(last_seq));
    return call_reply_json(call, 200, json_incref(json), err);
}

int native_system_version(struct call *call, struct error *err)
{
    json_t *json = encode_list("version", json_text(VOLUMED_VERSION));

    json_set(json, "api", json_text("v1"));
    return call_reply_json(call, 200, json, err);
}

int native_system_check(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(BOOL, struct check_request, repair, OPTIONAL),
        FIELDS_END,
    };
    struct check_request request = { 0 };
    struct findings findings = { 0 };

    if (decode_body(call, fields, &request, err) < 0 ||
        reconcile(call->task, request.repair, &findings, err) < 0)
        return -1;
    return call_reply_json(call, 200, encode_findings(&findings, request.repair), err);
}

static int count_objects(struct task *task, json_t *json, struct error *err)
{
    const struct filter all = { 0 };
    struct operation *operations;
    struct snapshot *snapshots;
    struct volume *volumes;
    struct pool *pools;
    int pool_count = pool_list(task, &pools, err);
    int volume_count = pool_count < 0 ? -1 : volume_list(task, &all, &volumes, err);
    int snapshot_count = volume_count < 0 ? -1 : snapshot_list(task, NULL, &snapshots, err);
    int operation_count =
        snapshot_count < 0 ? -1 : operation_list(task, true, OPERATIONS_SHOWN, &operations, err);

    if (operation_count < 0)
        return -1;
    json_set(json, "pools", json_integer(pool_count));
    json_set(json, "volumes", json_integer(volume_count));
    json_set(json, "snapshots", json_integer(snapshot_count));
    json_set(json, "operations_running", json_integer(operation_count));
    return 0;
}
