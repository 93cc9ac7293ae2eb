/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's volumes, clones among them (a create with a source). */
#include "core/volume/volume.h"

#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"
#include "core/container/container.h"
#include "core/snapshot/snapshot.h"

struct volume_change {
    const char *name;
    struct pair_changes labels;
    int protected; /* -1: not given */
    const char *size;
    const char *inodes;
};

struct usage_request {
    bool fresh;
};

struct list_request {
    const char *filters;
    bool usage;
};

struct prune_request {
    const char *filters;
    struct volume_prune_spec spec;
};

int native_volume_release(struct call *call, struct error *err)
{
    int64_t released = 0;

    if (volume_plugin_forget(call->task, call->args[0], &released, err) < 0)
        return -1;
    json_t *json = json_object();
    json_set(json, "volume", json_text(call->args[0]));
    json_set(json, "released", json_integer(released));
    return call_reply_json(call, 200, json, err);
}

static json_t *known_usage(struct task *task, const struct volume *volume);
static int change_count(const struct volume_change *change);
static int apply_change(struct task *task, const char *ref, const struct volume_change *change,
                        struct error *err);
static int removed_snapshots(struct task *task, const char *ref,
                             const struct volume_remove_spec *spec, json_t **names,
                             struct error *err);
static int reference_list(struct task *task, const char *volume_id, json_t **list,
                          struct error *err);
static json_t *encode_reference(struct task *task, const char *container_id);

int native_volume_list(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(BOOL, struct list_request, usage, OPTIONAL),
        FIELD(OBJECT, struct list_request, filters, OPTIONAL),
        FIELDS_END,
    };
    struct task *task = call->task;
    struct list_request request = { 0 };
    struct filter filter = { 0 };
    struct volume *list;

    if (decode_query(call, fields, &request, err) < 0 ||
        filter_parse(&filter, task->mem, request.filters, volume_filters, err) < 0)
        return -1;
    int count = volume_list(task, &filter, &list, err);
    if (count < 0)
        return -1;
    json_t *answer = json_array();
    for (int i = 0; i < count; i++) {
        json_t *item = encode_volume(task, &list[i]);
        if (request.usage)
            json_set(item, "usage", known_usage(task, &list[i]));
        json_array_append_new(answer, item);
    }
    return call_reply_json(call, 200, encode_list("volumes", answer), err);
}

int native_volume_create(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct volume_spec, name, OPTIONAL),
        FIELD(TEXT, struct volume_spec, pool, OPTIONAL),
        FIELD(TEXT, struct volume_spec, driver, OPTIONAL),
        FIELD(PAIRS, struct volume_spec, options, OPTIONAL),
        FIELD(PAIRS, struct volume_spec, labels, OPTIONAL),
        FIELD(INT, struct volume_spec, uid, OPTIONAL),
        FIELD(INT, struct volume_spec, gid, OPTIONAL),
        FIELD(MODE, struct volume_spec, mode, OPTIONAL),
        FIELD(TEXT, struct volume_spec, from_volume, OPTIONAL),
        FIELD(TEXT, struct volume_spec, from_snapshot, OPTIONAL),
        FIELDS_END,
    };
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume;
    enum cost cost = COST_O1;
    bool is_new = false;

    if (decode_body(call, fields, &spec, err) < 0)
        return -1;
    if (spec.from_snapshot != NULL && spec.from_volume == NULL)
        return fail(err, ERR_INVALID, "member 'from_snapshot' needs 'from_volume'");
    spec.is_anonymous = spec.name == NULL;
    if (volume_create(call->task, &spec, &volume, &is_new, &cost, err) < 0)
        return -1;
    json_t *json = encode_volume(call->task, &volume);
    json_set(json, "cost", json_text(cost_name(cost)));
    return call_reply_json(call, is_new ? 201 : 200, json, err);
}

int native_volume_get(struct call *call, struct error *err)
{
    struct task *task = call->task;
    struct volume volume;
    bool is_mounted = false;
    int64_t engine_mounts;
    json_t *references;

    if (volume_get(task, call->args[0], &volume, err) < 0 ||
        volume_is_mounted(task, &volume, &is_mounted, err) < 0 ||
        volume_plugin_mount_count(task, volume.id, &engine_mounts, err) < 0 ||
        reference_list(task, volume.id, &references, err) < 0)
        return -1;
    json_t *json = encode_volume(task, &volume);
    json_set(json, "mounted", json_boolean(is_mounted));
    json_set(json, "engine_mounts", json_integer(engine_mounts));
    json_set(json, "references", references);
    return call_reply_json(call, 200, json, err);
}

/* One change a request: each is an operation of its own, and an Idempotency-Key names one. */
int native_volume_change(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct volume_change, name, OPTIONAL),
        FIELD(CHANGES, struct volume_change, labels, OPTIONAL),
        FIELD(TRISTATE, struct volume_change, protected, OPTIONAL),
        FIELD(TEXT, struct volume_change, size, OPTIONAL),
        FIELD(TEXT, struct volume_change, inodes, OPTIONAL),
        FIELDS_END,
    };
    struct volume_change change = { .protected = -1 };
    struct volume volume;

    if (decode_body(call, fields, &change, err) < 0)
        return -1;
    if (change_count(&change) != 1)
        return fail(err, ERR_INVALID, "give one of 'name', 'labels', 'protected' and the limits");
    if (volume_get(call->task, call->args[0], &volume, err) < 0 ||
        apply_change(call->task, volume.id, &change, err) < 0 ||
        volume_get(call->task, volume.id, &volume, err) < 0)
        return -1;
    return call_reply_json(call, 200, encode_volume(call->task, &volume), err);
}

int native_volume_remove(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(BOOL, struct volume_remove_spec, force, OPTIONAL),
        FIELD(BOOL, struct volume_remove_spec, with_snapshots, OPTIONAL),
        FIELD_AS(BOOL, "dry_run", struct volume_remove_spec, is_dry_run, OPTIONAL),
        FIELD_AS(BOOL, "now", struct volume_remove_spec, is_now, OPTIONAL),
        FIELDS_END,
    };
    struct volume_remove_spec spec = { 0 };
    json_t *snapshots;

    if (decode_query(call, fields, &spec, err) < 0 ||
        removed_snapshots(call->task, call->args[0], &spec, &snapshots, err) < 0)
        return -1;
    if (volume_remove(call->task, call->args[0], &spec, err) < 0) {
        json_decref(snapshots);
        return -1;
    }
    json_t *json = json_object();
    json_set(json, "volume", json_text(call->args[0]));
    json_set(json, "snapshots", snapshots);
    json_set(json, "dry_run", json_boolean(spec.is_dry_run));
    return call_reply_json(call, 200, json, err);
}

int native_volume_prune(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(OBJECT, struct prune_request, filters, OPTIONAL),
        FIELD_AS(BOOL, "dry_run", struct prune_request, spec.is_dry_run, OPTIONAL),
        FIELD_AS(BOOL, "now", struct prune_request, spec.is_now, OPTIONAL),
        FIELDS_END,
    };
    struct prune_request request = { 0 };
    struct prune_result result = { 0 };
    struct filter filter = { 0 };

    if (decode_body(call, fields, &request, err) < 0 ||
        filter_parse(&filter, call->task->mem, request.filters, volume_prune_filters, err) < 0 ||
        volume_prune(call->task, &filter, &request.spec, &result, err) < 0)
        return -1;
    json_t *names = json_array();
    for (size_t i = 0; i < result.count; i++)
        json_array_append_new(names, json_text(result.names[i]));
    json_t *json = encode_list("volumes", names);
    json_set(json, "reclaimed_bytes", json_integer(result.reclaimed_bytes));
    json_set(json, "trashed_bytes", json_integer(result.trashed_bytes));
    json_set(json, "dry_run", json_boolean(request.spec.is_dry_run));
    return call_reply_json(call, 200, json, err);
}

int native_volume_usage(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(BOOL, struct usage_request, fresh, OPTIONAL),
        FIELDS_END,
    };
    struct usage_request request = { 0 };
    struct volume volume;
    struct measure measure;

    if (decode_query(call, fields, &request, err) < 0 ||
        volume_get(call->task, call->args[0], &volume, err) < 0 ||
        volume_measure(call->task, &volume, request.fresh ? MEASURE_FRESH : MEASURE_SOON, &measure,
                       err) < 0)
        return -1;
    json_t *json = encode_measure(&measure);
    json_set(json, "volume", json_text(volume.name));
    json_set(json, "volume_id", json_text(volume.id));
    json_set(json, "limit", encode_limit(&volume));
    return call_reply_json(call, 200, json, err);
}

int native_volume_references(struct call *call, struct error *err)
{
    struct volume volume;
    json_t *list;

    if (volume_get(call->task, call->args[0], &volume, err) < 0 ||
        reference_list(call->task, volume.id, &list, err) < 0)
        return -1;
    json_t *json = encode_list("containers", list);
    json_set(json, "volume", json_text(volume.name));
    json_set(json, "volume_id", json_text(volume.id));
    return call_reply_json(call, 200, json, err);
}

/* Null for a volume whose pool is not there. */
static json_t *known_usage(struct task *task, const struct volume *volume)
{
    struct measure measure;
    struct error ignored;

    return volume_measure(task, volume, MEASURE_KNOWN, &measure, &ignored) < 0
               ? json_null()
               : encode_measure(&measure);
}

static int change_count(const struct volume_change *change)
{
    return (change->name != NULL) + change->labels.is_given + (change->protected >= 0) +
           (change->size != NULL || change->inodes != NULL);
}

static int apply_change(struct task *task, const char *ref, const struct volume_change *change,
                        struct error *err)
{
    if (change->name != NULL)
        return volume_rename(task, ref, change->name, err);
    if (change->labels.is_given)
        return volume_label(task, ref, &change->labels.set, change->labels.remove, err);
    if (change->protected >= 0)
        return volume_protect(task, ref, change->protected == 1, err);
    return volume_resize(task, ref, change->size, change->inodes, err);
}

/* What goes along with the volume; asked before, since nobody can tell afterwards. */
static int removed_snapshots(struct task *task, const char *ref,
                             const struct volume_remove_spec *spec, json_t **names,
                             struct error *err)
{
    struct snapshot *list = NULL;
    int count = 0;

    if (spec->with_snapshots)
        count = snapshot_list(task, ref, &list, err);
    if (count < 0 &&
        err->code != ERR_NOT_FOUND) /* which the removal tells, or a repeat's key knows */
        return -1;
    *names = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(*names, json_text(list[i].name));
    return 0;
}

static int reference_list(struct task *task, const char *volume_id, json_t **list,
                          struct error *err)
{
    const char *const *ids;

    if (volume_references(task, volume_id, &ids, err) < 0)
        return -1;
    *list = json_array();
    for (; *ids != NULL; ids++)
        json_array_append_new(*list, encode_reference(task, *ids));
    return 0;
}

/* A container that went meanwhile is told by its id alone. */
static json_t *encode_reference(struct task *task, const char *container_id)
{
    cleanup_container struct container container = { 0 };
    json_t *json = json_object();
    struct error err;

    json_set(json, "id", json_text(container_id));
    if (container_get(task, container_id, &container, &err) < 0)
        return json;
    json_set(json, "name", json_text(container.name));
    json_set(json, "state", json_text(container.state));
    return json;
}
