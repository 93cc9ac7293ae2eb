/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's recreations and the generations that they leave. */
#include <string.h>

#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"
#include "base/clock.h"
#include "core/container/container.h"
#include "core/recreate/generation.h"
#include "core/recreate/generation_change.h"
#include "core/recreate/recreate.h"
#include "core/recreate/rehearse.h"

struct begin_request {
    const char *members; /* JSON text: {name: {change, generation}} in the order of starting */
    int64_t probation_ms;
    bool manual;
    const char *probe;
    bool no_snapshot;
    const char *keep_new_data_as;
    int64_t keep;
    bool dry_run;
};

struct rehearse_body {
    const char *change; /* JSON text */
    int64_t probation_ms;
    const char *probe;
    int64_t freeze_timeout_ms;
    bool network;
    bool keep;
};

struct list_request {
    const char *container;
};

static int read_members(struct call *call, json_t *members, struct recreate_request *request,
                        struct error *err);
static json_t *encode_recreation(const struct recreation *recreation);
static json_t *encode_generation(struct task *task, const struct container *container,
                                 const struct generation *generation);
static void add_changes(struct task *task, json_t *generations, int from,
                        const struct container *container, const struct generation *list,
                        int count);
static int decide(struct call *call, bool is_commit, struct error *err);

int native_recreation_begin(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(OBJECT, struct begin_request, members, REQUIRED),
        FIELD(INT, struct begin_request, probation_ms, OPTIONAL),
        FIELD(BOOL, struct begin_request, manual, OPTIONAL),
        FIELD(TEXT, struct begin_request, probe, OPTIONAL),
        FIELD(BOOL, struct begin_request, no_snapshot, OPTIONAL),
        FIELD(TEXT, struct begin_request, keep_new_data_as, OPTIONAL),
        FIELD(INT, struct begin_request, keep, OPTIONAL),
        FIELD(BOOL, struct begin_request, dry_run, OPTIONAL),
        FIELDS_END,
    };
    struct begin_request body = { .probation_ms = PROBATION_MS_DEFAULT,
                                  .keep = RECREATE_KEEP_DEFAULT };
    struct recreate_request request = { 0 };
    struct recreation recreation;

    if (decode_body(call, fields, &body, err) < 0)
        return -1;
    cleanup_json json_t *members = json_read(body.members, strlen(body.members), err);
    if (members == NULL || read_members(call, members, &request, err) < 0)
        return -1;
    request.probation_ms = body.manual ? PROBATION_MANUAL : body.probation_ms;
    request.probe = body.probe;
    request.has_no_snapshot = body.no_snapshot;
    request.keep_new_data_as = body.keep_new_data_as;
    request.keep = body.keep;
    request.is_dry_run = body.dry_run;
    if (recreate_begin(call->task, &request, &recreation, err) < 0)
        return -1;
    json_t *json = encode_recreation(&recreation);
    json_set(json, "dry_run", json_boolean(body.dry_run));
    return call_reply_json(call, body.dry_run ? 200 : 202, json, err);
}

int native_rehearsal_begin(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(OBJECT, struct rehearse_body, change, OPTIONAL),
        FIELD(INT, struct rehearse_body, probation_ms, OPTIONAL),
        FIELD(TEXT, struct rehearse_body, probe, OPTIONAL),
        FIELD(INT, struct rehearse_body, freeze_timeout_ms, OPTIONAL),
        FIELD(BOOL, struct rehearse_body, network, OPTIONAL),
        FIELD(BOOL, struct rehearse_body, keep, OPTIONAL),
        FIELDS_END,
    };
    struct rehearse_body body = { .change = "{}", .probation_ms = PROBATION_MS_DEFAULT };
    struct recreation recreation;

    if (decode_body(call, fields, &body, err) < 0)
        return -1;
    cleanup_json json_t *change = json_read(body.change, strlen(body.change), err);
    const struct rehearse_request request = {
        .container = call->args[0],
        .change = change,
        .probation_ms = body.probation_ms,
        .probe = body.probe,
        .freeze_timeout_ms = body.freeze_timeout_ms,
        .has_network = body.network,
        .is_kept = body.keep,
    };
    if (change == NULL || rehearse_begin(call->task, &request, &recreation, err) < 0)
        return -1;
    return call_reply_json(call, 202, encode_recreation(&recreation), err);
}

int native_recreation_list(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct list_request, container, OPTIONAL),
        FIELDS_END,
    };
    struct list_request request = { 0 };
    struct recreation *list = NULL;

    if (decode_query(call, fields, &request, err) < 0)
        return -1;
    int count = recreate_list(call->task, request.container, &list, err);
    if (count < 0)
        return -1;
    json_t *recreations = json_array();
    for (int i = 0; i < count; i++)
        json_add(recreations, encode_recreation(&list[i]));
    return call_reply_json(call, 200, encode_list("recreations", recreations), err);
}

int native_recreation_get(struct call *call, struct error *err)
{
    struct recreation recreation;

    if (recreate_get(call->task, call->args[0], &recreation, err) < 0)
        return -1;
    return call_reply_json(call, 200, encode_recreation(&recreation), err);
}

int native_recreation_commit(struct call *call, struct error *err)
{
    return decide(call, true, err);
}

int native_recreation_undo(struct call *call, struct error *err)
{
    return decide(call, false, err);
}

int native_container_generations(struct call *call, struct error *err)
{
    cleanup_container struct container container = { 0 };
    struct generation *list = NULL;

    if (container_get(call->task, call->args[0], &container, err) < 0)
        return -1;
    int count = generation_list(call->task, container.name, &list, err);
    if (count < 0)
        return -1;
    json_t *generations = json_array();
    json_add(generations, encode_generation(call->task, &container, NULL));
    add_changes(call->task, generations, 0, &container, list, count);
    for (int i = 0; i < count; i++) {
        cleanup_container struct container kept = { 0 };
        if (container_get(call->task, list[i].container_id, &kept, err) < 0)
            continue;
        json_add(generations, encode_generation(call->task, &kept, &list[i]));
        add_changes(call->task, generations, i + 1, &kept, list, count);
    }
    return call_reply_json(call, 200, encode_list("generations", generations), err);
}

/* To the last generation, from the newest before it that was not given up. */
static void add_changes(struct task *task, json_t *generations, int from,
                        const struct container *container, const struct generation *list, int count)
{
    json_t *last = json_array_get(generations, json_array_size(generations) - 1);
    cleanup_container struct container before = { 0 };
    struct error ignored;

    while (from < count && strcmp(list[from].outcome, "replaced") != 0)
        from++;
    json_set(last, "changes",
             from < count && container_get(task, list[from].container_id, &before, &ignored) == 0
                 ? generation_changes(task->mem, &before, container)
                 : json_null());
}

static int read_members(struct call *call, json_t *members, struct recreate_request *request,
                        struct error *err)
{
    if (json_object_size(members) == 0 || json_object_size(members) > RECREATE_MEMBERS_MAX)
        return fail(err, ERR_INVALID, "member 'members' must name 1 to %d containers",
                    RECREATE_MEMBERS_MAX);
    for (void *at = json_object_iter(members); at != NULL;
         at = json_object_iter_next(members, at)) {
        const json_t *member = json_object_iter_value(at);
        struct recreate_target *target = &request->targets[request->count++];
        target->name = arena_strdup(call->task->mem, json_object_iter_key(at));
        target->change = json_member(member, "change");
        if (!json_is_object(member) || (target->change != NULL && !json_is_object(target->change)))
            return fail(err, ERR_INVALID,
                        "member '%s' of 'members' must be an object, and so its"
                        " 'change'",
                        target->name);
        if (json_get_int(member, "generation", &target->generation, err) < 0)
            return -1;
    }
    return 0;
}

static json_t *encode_recreation(const struct recreation *recreation)
{
    struct error ignored; /* both were written by us */
    json_t *json = json_object();
    json_t *members = json_array();
    json_t *report = json_read(recreation->report, strlen(recreation->report), &ignored);
    json_t *plan = json_read(recreation->plan, strlen(recreation->plan), &ignored);

    for (size_t i = 0; i < recreation->count; i++)
        json_add(members,
                 json_pack("{ss ss ss sb}", "name", recreation->members[i].name, "old",
                           recreation->members[i].old_id, "new", recreation->members[i].new_id,
                           "was_running", recreation->members[i].was_running));
    json_set(json, "id", json_text(recreation->id));
    json_set(json, "state", json_text(recreation->state));
    json_set(json, "members", members);
    json_set(json, "set", json_text(recreation->set_name));
    json_set(json, "failed_set", json_text(recreation->failed_set));
    json_set(json, "reason", json_text(recreation->reason));
    json_set(json, "plan", plan);
    json_set(json, "report", report);
    encode_time_ms(json, "started", recreation->started_ms);
    encode_time_ms(json, "finished", recreation->finished_ms);
    return json;
}

/* 'generation' NULL: the container is the one that has the name. */
static json_t *encode_generation(struct task *task, const struct container *container,
                                 const struct generation *generation)
{
    struct recreation recreation;
    struct error ignored;
    json_t *json = json_object();
    bool is_known = generation != NULL &&
                    recreate_get(task, generation->recreation_id, &recreation, &ignored) == 0;

    json_set(json, "number", json_integer(container->generation));
    json_set(json, "container", json_text(container->id));
    json_set(json, "name", json_text(container->name));
    json_set(json, "image", json_text(container->image_name));
    json_set(json, "image_id", json_text(container->image_id));
    json_set(json, "outcome", json_text(generation != NULL ? generation->outcome : "current"));
    json_set(json, "set", json_text(generation != NULL ? generation->set_name : ""));
    json_set(json, "recreation", is_known ? encode_recreation(&recreation) : json_null());
    encode_time_ms(json, "created", container->created_ns / 1000000);
    encode_time_ms(json, "retired", generation != NULL ? generation->retired_ms : 0);
    json_set(json, "lasted_ms",
             json_integer((generation != NULL ? generation->retired_ms : clock_now_ms()) -
                          container->created_ns / 1000000));
    return json;
}

static int decide(struct call *call, bool is_commit, struct error *err)
{
    struct recreation recreation;

    if (recreate_decide(call->task, call->args[0], is_commit, err) < 0 ||
        recreate_get(call->task, call->args[0], &recreation, err) < 0)
        return -1;
    return call_reply_json(call, 202, encode_recreation(&recreation), err);
}
