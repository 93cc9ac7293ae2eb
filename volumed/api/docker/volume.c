/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's volume endpoints.  What a volume is, and when it may go, is core/volume's. */
#include "api/docker/volume.h"

#include "api/docker/handlers.h"
#include "api/docker/query.h"
#include "core/pool/pool.h"
#include "core/snapshot/snapshot.h"
#include "core/volume/volume_limit.h"
#include "core/volume/volume_measure.h"

#define LABEL_ANONYMOUS "com.docker.volume.anonymous"

static int volume_spec_read(struct call *call, const json_t *body, struct volume_spec *spec,
                            struct error *err);
static int volume_status_json(struct task *task, const struct volume *volume, json_t **status,
                              struct error *err);
static void filter_spare_none(struct filter *filter, struct arena *mem);
static json_t *pairs_or_null(const struct pairs *pairs);
static json_t *labels_json(const struct volume *volume);

int docker_volume_create(struct call *call, struct error *err)
{
    cleanup_json json_t *body = call_body_json(call, false, err);
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume;
    enum cost cost;
    bool is_new;

    if (body == NULL || volume_spec_read(call, body, &spec, err) < 0 ||
        volume_create(call->task, &spec, &volume, &is_new, &cost, err) < 0)
        return -1;
    return call_reply_json(call, 201, docker_volume_json(call->task, &volume), err);
}

int docker_volume_list(struct call *call, struct error *err)
{
    struct filter filter = { 0 };
    struct volume *list;

    if (query_filter(call, call->task->mem, volume_filters, &filter, err) < 0)
        return -1;
    int count = volume_list(call->task, &filter, &list, err);
    if (count < 0)
        return -1;
    json_t *volumes = json_array();
    for (int i = 0; i < count; i++)
        json_add(volumes, docker_volume_json(call->task, &list[i]));
    json_t *answer = json_object();
    json_set(answer, "Volumes", volumes);
    json_set(answer, "Warnings", json_null());
    return call_reply_json(call, 200, answer, err);
}

int docker_volume_inspect(struct call *call, struct error *err)
{
    struct volume volume;
    json_t *status;

    if (volume_get(call->task, call->args[0], &volume, err) < 0 ||
        volume_status_json(call->task, &volume, &status, err) < 0)
        return -1;
    json_t *json = docker_volume_json(call->task, &volume);
    json_set(json, "Status", status);
    return call_reply_json(call, 200, json, err);
}

int docker_volume_remove(struct call *call, struct error *err)
{
    struct volume_remove_spec spec = { .force = query_flag(call, "force") };

    if (volume_remove(call->task, call->args[0], &spec, err) < 0)
        return -1;
    return call_reply_empty(call, 204, err);
}

int docker_volume_prune(struct call *call, struct error *err)
{
    struct prune_result result = { 0 };
    struct filter filter = { 0 };

    if (query_filter(call, call->task->mem, volume_prune_filters, &filter, err) < 0)
        return -1;
    if (call->api_minor < 42) /* named volumes were spared from then on */
        filter_spare_none(&filter, call->task->mem);
    if (volume_prune(call->task, &filter, &(struct volume_prune_spec){ 0 }, &result, err) < 0)
        return -1;
    json_t *names = json_array();
    for (size_t i = 0; i < result.count; i++)
        json_add(names, json_text(result.names[i]));
    json_t *report = json_object();
    json_set(report, "VolumesDeleted", names);
    json_set(report, "SpaceReclaimed", json_integer(result.reclaimed_bytes));
    return call_reply_json(call, 200, report, err);
}

int docker_volume_update(struct call *call, struct error *err)
{
    struct volume volume;

    if (volume_get(call->task, call->args[0], &volume, err) < 0)
        return -1;
    return docker_swarm_absent(call, err); /* only cluster volumes can be updated in this way */
}

json_t *docker_volume_json(struct task *task, const struct volume *volume)
{
    json_t *json = json_object();

    json_set(json, "CreatedAt", json_time_ms(volume->created_ms));
    json_set(json, "Driver", json_text(volume->driver));
    json_set(json, "Labels", labels_json(volume));
    json_set(json, "Mountpoint", json_text_or_empty(volume_path(task, volume)));
    json_set(json, "Name", json_text(volume->name));
    json_set(json, "Options", pairs_or_null(&volume->options));
    json_set(json, "Scope", json_string("local"));
    return json;
}

int docker_volume_usage_json(struct task *task, const struct volume *volume, json_t **json,
                             struct error *err)
{
    const char *const *references;
    struct measure measure;
    struct error measure_err;
    int64_t reference_count = 0;

    if (volume_references(task, volume->id, &references, err) < 0)
        return -1;
    if (volume_measure(task, volume, MEASURE_WALK, &measure, &measure_err) < 0)
        measure.apparent_bytes = -1; /* Docker's "not known"; one volume must not spoil the whole */
    while (references[reference_count] != NULL)
        reference_count++;
    json_t *data = json_object();
    json_set(data, "Size", json_integer(measure.apparent_bytes));
    json_set(data, "RefCount", json_integer(reference_count));
    *json = docker_volume_json(task, volume);
    json_set(*json, "UsageData", data);
    return 0;
}

static int volume_spec_read(struct call *call, const json_t *body, struct volume_spec *spec,
                            struct error *err)
{
    struct arena *mem = call->task->mem;

    if (json_member(body, "ClusterVolumeSpec") != NULL)
        return fail(err, ERR_UNSUPPORTED, "cluster volumes are not supported");
    if (json_get_text(body, "Name", mem, &spec->name, err) < 0 ||
        json_get_text(body, "Driver", mem, &spec->driver, err) < 0 ||
        pairs_from_json(&spec->options, mem, json_member(body, "DriverOpts"), err) < 0 ||
        pairs_from_json(&spec->labels, mem, json_member(body, "Labels"), err) < 0)
        return -1;
    if (spec->name != NULL && *spec->name == '\0')
        spec->name = NULL;
    spec->is_anonymous = spec->name == NULL;
    return 0;
}

/* What only we know of a volume; Docker's clients show this map as it is. */
static int volume_status_json(struct task *task, const struct volume *volume, json_t **status,
                              struct error *err)
{
    struct error ignored; /* a pool that cannot be opened has no cost to tell */
    struct volume_limit limit;
    struct snapshot *list;
    enum cost cost;
    int count = snapshot_list(task, volume->id, &list, err);

    if (count < 0)
        return -1;
    json_t *names = json_array();
    for (int i = 0; i < count; i++)
        json_add(names, json_text(list[i].name));
    *status = json_object();
    json_set(*status, "Pool", json_text(volume->pool_name));
    json_set(*status, "Snapshots", names);
    json_set(*status, "Protected", json_boolean(volume->is_protected));
    if (pool_clone_cost(task, volume->pool_id, &cost, &ignored) == 0)
        json_set(*status, "SnapshotCost", json_text(cost_name(cost)));
    if (volume_limit_read(&volume->options, &limit, &ignored) == 0 && volume_limit_is_given(&limit))
        json_set(*status, "Limit",
                 json_pack("{sI sI}", "Bytes", (json_int_t)limit.size_bytes, "Inodes",
                           (json_int_t)limit.inodes));
    if (volume->parent != NULL)
        json_set(*status, "Parent", json_loads(volume->parent, 0, NULL));
    return 0;
}

/* Adds all=true. */
static void filter_spare_none(struct filter *filter, struct arena *mem)
{
    struct filter_term *terms = arena_array(mem, filter->count + 1, sizeof(*terms));

    for (size_t i = 0; i < filter->count; i++)
        terms[i] = filter->terms[i];
    terms[filter->count] = (struct filter_term){ "all", "true" };
    *filter = (struct filter){ .count = filter->count + 1, .terms = terms };
}

static json_t *pairs_or_null(const struct pairs *pairs)
{
    return pairs->count > 0 ? pairs_to_json(pairs) : json_null();
}

static json_t *labels_json(const struct volume *volume)
{
    json_t *labels = pairs_or_null(&volume->labels);

    if (!volume->is_anonymous)
        return labels;
    if (!json_is_object(labels)) {
        json_decref(labels);
        labels = json_object();
    }
    json_set(labels, LABEL_ANONYMOUS, json_string(""));
    return labels;
}
