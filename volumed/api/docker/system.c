/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's endpoints about the engine as a whole: ping, version, info, and what takes up space. */
#include "core/system.h"

#include "api/docker/container_json.h"
#include "api/docker/handlers.h"
#include "api/docker/image_json.h"
#include "api/docker/volume.h"
#include "core/volume/trash.h"

static json_t *images_json(struct task *task, struct error *err);
static json_t *containers_json(struct task *task, struct error *err);
static json_t *container_rows(struct task *task, const struct container *list, int count,
                              struct error *err);
static json_t *volumes_json(struct task *task, struct error *err);
static json_t *trash_json(struct task *task, struct error *err);

int docker_ping(struct call *call, struct error *err)
{
    http_reply_header(call->http, "Builder-Version", "1");
    http_reply_header(call->http, "Cache-Control", "no-cache, no-store, must-revalidate");
    http_reply_header(call->http, "Pragma", "no-cache");
    return http_reply(call->http, 200, "text/plain; charset=utf-8", "OK", 2, err);
}

int docker_version(struct call *call, struct error *err)
{
    json_t *version;

    if (system_version(call->task, &version, err) < 0)
        return -1;
    return call_reply_json(call, 200, version, err);
}

int docker_info(struct call *call, struct error *err)
{
    json_t *info;

    if (system_info(call->task, &info, err) < 0)
        return -1;
    return call_reply_json(call, 200, info, err);
}

int docker_df(struct call *call, struct error *err)
{
    cleanup_json json_t *df = json_object();
    int64_t layers_bytes;

    if (system_layers_bytes(call->task, &layers_bytes, err) < 0)
        return -1;
    json_set(df, "LayersSize", json_integer(layers_bytes));
    json_t *images = images_json(call->task, err);
    if (images == NULL)
        return -1;
    json_set(df, "Images", images);
    json_t *containers = containers_json(call->task, err);
    if (containers == NULL)
        return -1;
    json_set(df, "Containers", containers);
    json_t *volumes = volumes_json(call->task, err);
    if (volumes == NULL)
        return -1;
    json_set(df, "Volumes", volumes);
    json_t *trash = trash_json(call->task, err);
    if (trash == NULL)
        return -1;
    json_set(df, "Trash", trash); /* ours: Docker's clients pass over it */
    json_set(df, "BuildCache", json_array());
    json_set(df, "BuilderSize", json_integer(0));
    return call_reply_json(call, 200, json_incref(df), err);
}

static json_t *images_json(struct task *task, struct error *err)
{
    static const struct filter everything = { 0 };
    struct image *list;
    int count = image_list(task, &everything, &list, err);

    if (count < 0)
        return NULL;
    json_t *rows = json_array();
    for (int i = 0; i < count; i++) {
        json_t *row = docker_image_summary_json(&list[i]);
        json_set(row, "SharedSize", json_integer(0));
        json_set(row, "Containers", json_integer(list[i].container_count));
        json_add(rows, row);
    }
    return rows;
}

static json_t *containers_json(struct task *task, struct error *err)
{
    static const struct container_list_spec everything = { .is_all = true };
    struct container *list;
    int count = container_list(task, &everything, &list, err);

    if (count < 0)
        return NULL;
    json_t *rows = container_rows(task, list, count, err);
    for (int i = 0; i < count; i++)
        container_done(&list[i]);
    return rows;
}

static json_t *container_rows(struct task *task, const struct container *list, int count,
                              struct error *err)
{
    cleanup_json json_t *rows = json_array();

    for (int i = 0; i < count; i++) {
        json_t *row;
        if (docker_container_summary_json(task, &list[i], true, &row, err) < 0)
            return NULL;
        json_add(rows, row);
    }
    return json_incref(rows);
}

static json_t *volumes_json(struct task *task, struct error *err)
{
    static const struct filter everything = { 0 };
    struct volume *list;
    int count = volume_list(task, &everything, &list, err);

    if (count < 0)
        return NULL;
    cleanup_json json_t *rows = json_array();
    for (int i = 0; i < count; i++) {
        json_t *row;
        if (docker_volume_usage_json(task, &list[i], &row, err) < 0)
            return NULL;
        json_add(rows, row);
    }
    return json_incref(rows);
}

static json_t *trash_json(struct task *task, struct error *err)
{
    int64_t count = 0;
    int64_t bytes = 0;

    if (trash_total(task, &count, &bytes, err) < 0)
        return NULL;
    json_t *json = json_object();
    json_set(json, "Count", json_integer(count));
    json_set(json, "Size", json_integer(bytes));
    return json;
}
