/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's verbs on volumes: Docker's JSON in and out.  Mounts are counted per (volume, id) by
 * core, for engines mount again under an id that is still mounted (docker cp). */
#include "core/volume/volume.h"

#include <poll.h>

#include "api/plugin/handlers.h"
#include "base/clock.h"
#include "core/pool/pool.h"
#include "core/service.h"
#include "core/snapshot/snapshot.h"

#define PLUGIN_DRIVER        "volumed"
#define RECOVERY_PATIENCE_MS 25000 /* below the half minute that engines wait */
#define RECOVERY_STEP_MS     10

struct mount_request {
    const char *name;
    const char *id;
};

static int wait_for_recovery(struct call *call, struct error *err);
static int read_name(struct call *call, struct mount_request *request, struct error *err);
static int find_mountpoint(struct call *call, const struct volume *volume, const char **path,
                           struct error *err);
static json_t *named_json(const struct volume *volume, const char *path);
static int status_json(struct task *task, const struct volume *volume, json_t **json,
                       struct error *err);

int plugin_volume_create(struct call *call, struct error *err)
{
    struct arena *mem = call->task->mem;
    cleanup_json json_t *body = call_body_json(call, false, err);
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    struct volume volume;
    enum cost cost;
    bool is_new;

    spec.driver = PLUGIN_DRIVER;
    if (body == NULL || json_get_text(body, "Name", mem, &spec.name, err) < 0 ||
        pairs_from_json(&spec.options, mem, json_member(body, "Opts"), err) < 0)
        return -1;
    if (spec.name == NULL || *spec.name == '\0')
        return fail(err, ERR_INVALID, "volume name is missing");
    if (wait_for_recovery(call, err) < 0 ||
        volume_create(call->task, &spec, &volume, &is_new, &cost, err) < 0)
        return -1;
    return plugin_reply(call, json_object(), err);
}

int plugin_volume_get(struct call *call, struct error *err)
{
    struct mount_request request = { 0 };
    struct volume volume;
    const char *path;
    json_t *status;

    if (read_name(call, &request, err) < 0 ||
        volume_get(call->task, request.name, &volume, err) < 0 ||
        find_mountpoint(call, &volume, &path, err) < 0 ||
        status_json(call->task, &volume, &status, err) < 0)
        return -1;
    json_t *json = named_json(&volume, path);
    json_set(json, "CreatedAt", json_time_ms(volume.created_ms));
    json_set(json, "Status", status);
    json_t *answer = json_object();
    json_set(answer, "Volume", json);
    return plugin_reply(call, answer, err);
}

/* Names alone: a mount count for each would make a long list slow, and engines show the names. */
int plugin_volume_list(struct call *call, struct error *err)
{
    struct filter all = { 0 };
    struct volume *list;
    int count = volume_list(call->task, &all, &list, err);

    if (count < 0)
        return -1;
    json_t *volumes = json_array();
    for (int i = 0; i < count; i++)
        json_add(volumes, named_json(&list[i], ""));
    json_t *answer = json_object();
    json_set(answer, "Volumes", volumes);
    return plugin_reply(call, answer, err);
}

int plugin_volume_mount(struct call *call, struct error *err)
{
    struct mount_request request = { 0 };
    const char *path;

    if (read_name(call, &request, err) < 0 || wait_for_recovery(call, err) < 0 ||
        volume_plugin_mount(call->task, request.name, request.id, &path, err) < 0)
        return -1;
    json_t *answer = json_object();
    json_set(answer, "Mountpoint", json_text(path));
    return plugin_reply(call, answer, err);
}

int plugin_volume_unmount(struct call *call, struct error *err)
{
    struct mount_request request = { 0 };

    if (read_name(call, &request, err) < 0 || wait_for_recovery(call, err) < 0 ||
        volume_plugin_unmount(call->task, request.name, request.id, err) < 0)
        return -1;
    return plugin_reply(call, json_object(), err);
}

int plugin_volume_path(struct call *call, struct error *err)
{
    struct mount_request request = { 0 };
    struct volume volume;
    const char *path;

    if (read_name(call, &request, err) < 0 ||
        volume_get(call->task, request.name, &volume, err) < 0 ||
        find_mountpoint(call, &volume, &path, err) < 0)
        return -1;
    json_t *answer = json_object();
    json_set(answer, "Mountpoint", json_text(path));
    return plugin_reply(call, answer, err);
}

/* Engines ask with Get before and repeat a request whose answer they lost: what is gone already is
 * removed. */
int plugin_volume_remove(struct call *call, struct error *err)
{
    static const struct volume_remove_spec spec = { .force = true };
    struct mount_request request = { 0 };

    if (read_name(call, &request, err) < 0 || wait_for_recovery(call, err) < 0 ||
        volume_remove(call->task, request.name, &spec, err) < 0)
        return -1;
    return plugin_reply(call, json_object(), err);
}

/* The door is open before recovery has ended; what changes something waits for it, what only reads
 * rows does not. */
static int wait_for_recovery(struct call *call, struct error *err)
{
    const struct service *service = call->task->service;
    int64_t deadline_ms = clock_mono_ms() + RECOVERY_PATIENCE_MS;

    while (!service->is_recovered) {
        if (clock_mono_ms() >= deadline_ms || http_client_is_gone(call->http))
            return fail(err, ERR_BUSY, "volumed is still recovering; try again later");
        (void)poll(NULL, 0, RECOVERY_STEP_MS); /* a pause */
    }
    return 0;
}

static int read_name(struct call *call, struct mount_request *request, struct error *err)
{
    struct arena *mem = call->task->mem;
    cleanup_json json_t *body = call_body_json(call, false, err);

    request->id = ""; /* engines before Docker 1.12 send none */
    if (body == NULL || json_get_text(body, "Name", mem, &request->name, err) < 0 ||
        json_get_text(body, "ID", mem, &request->id, err) < 0)
        return -1;
    if (request->name == NULL || *request->name == '\0')
        return fail(err, ERR_INVALID, "volume name is missing");
    return 0;
}

/* Engines take a path for a sign that the volume is mounted: "" where it is not. */
static int find_mountpoint(struct call *call, const struct volume *volume, const char **path,
                           struct error *err)
{
    int64_t mount_count;

    if (volume_plugin_mount_count(call->task, volume->id, &mount_count, err) < 0)
        return -1;
    if (mount_count > 0 && wait_for_recovery(call, err) < 0) /* pools have paths when open */
        return -1;
    *path = mount_count > 0 ? volume_path(call->task, volume) : "";
    return 0;
}

static json_t *named_json(const struct volume *volume, const char *path)
{
    json_t *json = json_object();

    json_set(json, "Name", json_text(volume->name));
    json_set(json, "Mountpoint", json_text(path));
    return json;
}

/* What `docker volume inspect` shows of us.  No usage: engines ask twice for every start of a
 * container, and usage may cost a walk through all files. */
static int status_json(struct task *task, const struct volume *volume, json_t **json,
                       struct error *err)
{
    struct snapshot *snapshots;
    struct error ignored; /* a pool that cannot be opened has no cost to tell */
    struct pool pool;
    enum cost cost;
    int64_t mount_count;
    int count = snapshot_list(task, volume->id, &snapshots, err);

    if (count < 0 || pool_get(task, volume->pool_id, &pool, err) < 0 ||
        volume_plugin_mount_count(task, volume->id, &mount_count, err) < 0)
        return -1;
    *json = json_object();
    json_set(*json, "Id", json_text(volume->id));
    json_set(*json, "Pool", json_text(pool.name));
    json_set(*json, "Driver", json_text(pool.driver));
    if (task->service->is_recovered && pool_clone_cost(task, pool.id, &cost, &ignored) == 0)
        json_set(*json, "SnapshotCost", json_text(cost_name(cost)));
    json_set(*json, "Mounts", json_integer(mount_count));
    json_set(*json, "Protected", json_boolean(volume->is_protected));
    json_set(*json, "Snapshots", json_integer(count));
    if (count > 0)
        json_set(*json, "LatestSnapshot", json_text(snapshots[count - 1].name));
    if (volume->parent != NULL)
        json_set(*json, "Parent", json_loads(volume->parent, 0, NULL));
    return 0;
}
