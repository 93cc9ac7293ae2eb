/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's replicas and the scalings that change them. */
#include <string.h>

#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"
#include "core/container/container.h"
#include "core/replica/replica.h"
#include "core/replica/scale.h"

struct scale_body {
    int64_t replicas;
    const char *from_snapshot;
    const char *size;
    bool refresh;
    const char *const *keep;
    bool dry_run;
};

static json_t *encode_scaling(const struct scaling *scaling);
static json_t *encode_replica(struct task *task, const struct replica *replica);
static void encode_container(struct task *task, const char *name, json_t *json);

int native_scaling_begin(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(INT, struct scale_body, replicas, REQUIRED),
        FIELD(TEXT, struct scale_body, from_snapshot, OPTIONAL),
        FIELD(TEXT, struct scale_body, size, OPTIONAL),
        FIELD(BOOL, struct scale_body, refresh, OPTIONAL),
        FIELD(LIST, struct scale_body, keep, OPTIONAL),
        FIELD(BOOL, struct scale_body, dry_run, OPTIONAL),
        FIELDS_END,
    };
    struct scale_body body = { 0 };
    struct scaling scaling;

    if (decode_body(call, fields, &body, err) < 0)
        return -1;
    const struct scale_request request = {
        .container = call->args[0],
        .replicas = body.replicas,
        .from = body.from_snapshot,
        .size = body.size,
        .is_refresh = body.refresh,
        .keep = body.keep,
        .is_dry_run = body.dry_run,
    };
    if (scale_begin(call->task, &request, &scaling, err) < 0)
        return -1;
    json_t *json = encode_scaling(&scaling);
    json_set(json, "dry_run", json_boolean(body.dry_run));
    return call_reply_json(call, body.dry_run ? 200 : 202, json, err);
}

int native_scaling_get(struct call *call, struct error *err)
{
    struct scaling scaling;

    if (scale_get(call->task, call->args[0], &scaling, err) < 0)
        return -1;
    return call_reply_json(call, 200, encode_scaling(&scaling), err);
}

int native_replica_list(struct call *call, struct error *err)
{
    struct replica_group group;
    struct replica *list = NULL;
    int count = scale_list(call->task, call->args[0], &group, &list, err);

    if (count < 0)
        return -1;
    json_t *replicas = json_array();
    for (int i = 0; i < count; i++)
        json_add(replicas, encode_replica(call->task, &list[i]));
    json_t *json = encode_list("replicas", replicas);
    json_set(json, "container", json_text(group.name));
    json_set(json, "from_snapshot", json_text(group.source_name));
    json_set(json, "size", group.size[0] != '\0' ? json_text(group.size) : json_null());
    encode_time_ms(json, "created", group.created_ms);
    return call_reply_json(call, 200, json, err);
}

static json_t *encode_scaling(const struct scaling *scaling)
{
    struct error ignored; /* both were written by us */
    json_t *json = json_object();

    json_set(json, "id", json_text(scaling->id));
    json_set(json, "container", json_text(scaling->group_name));
    json_set(json, "state", json_text(scaling->state));
    json_set(json, "replica", scaling->replica > 0 ? json_integer(scaling->replica) : json_null());
    json_set(json, "reason", json_text(scaling->reason));
    json_set(json, "plan", json_read(scaling->plan, strlen(scaling->plan), &ignored));
    json_set(json, "report", json_read(scaling->report, strlen(scaling->report), &ignored));
    encode_time_ms(json, "started", scaling->started_ms);
    encode_time_ms(json, "finished", scaling->finished_ms);
    return json;
}

static json_t *encode_replica(struct task *task, const struct replica *replica)
{
    const char *name = replica_name(task->mem, replica->group_name, replica->number);
    json_t *json = json_object();

    json_set(json, "number", json_integer(replica->number));
    json_set(json, "name", json_text(name));
    json_set(json, "state", json_text(replica->state));
    json_set(json, "from_snapshot", json_text(replica->source_name));
    encode_container(task, name, json);
    encode_time_ms(json, "made", replica->made_ms);
    encode_time_ms(json, "refreshed", replica->refreshed_ms);
    return json;
}

/* Its container may have been removed by hand. */
static void encode_container(struct task *task, const char *name, json_t *json)
{
    cleanup_container struct container container = { 0 };
    struct volume *volumes = NULL;
    struct error ignored;
    json_t *names = json_array();
    bool is_there = container_get(task, name, &container, &ignored) == 0;
    int count = replica_volumes(task, name, NULL, &volumes, &ignored);

    for (int i = 0; i < count; i++)
        json_add(names, json_text(volumes[i].name));
    json_set(json, "container_id", is_there ? json_text(container.id) : json_null());
    json_set(json, "status", is_there ? json_text(container.state) : json_null());
    json_set(json, "volumes", names);
}
