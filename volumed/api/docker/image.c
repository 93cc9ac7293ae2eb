/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's image endpoints but for those through which bytes flow (image_transfer.c). */
#include "api/docker/handlers.h"
#include "api/docker/image_json.h"
#include "api/docker/query.h"

int docker_image_list(struct call *call, struct error *err)
{
    struct filter filter = { 0 };
    struct image *list;

    if (query_filter(call, call->task->mem, image_filters, &filter, err) < 0)
        return -1;
    int count = image_list(call->task, &filter, &list, err);
    if (count < 0)
        return -1;
    json_t *rows = json_array();
    for (int i = 0; i < count; i++)
        json_add(rows, docker_image_summary_json(&list[i]));
    return call_reply_json(call, 200, rows, err);
}

int docker_image_inspect(struct call *call, struct error *err)
{
    struct image image;
    json_t *json;

    if (image_get(call->task, call->args[0], &image, err) < 0 ||
        docker_image_json(&image, &json, err) < 0)
        return -1;
    return call_reply_json(call, 200, json, err);
}

int docker_image_history(struct call *call, struct error *err)
{
    json_t *history;

    if (image_history(call->task, call->args[0], &history, err) < 0)
        return -1;
    return call_reply_json(call, 200, history, err);
}

int docker_image_tag(struct call *call, struct error *err)
{
    if (image_tag(call->task, call->args[0], query_text(call, "repo"), query_text(call, "tag"),
                  err) < 0)
        return -1;
    return call_reply_empty(call, 201, err);
}

int docker_image_remove(struct call *call, struct error *err)
{
    json_t *report;

    if (image_remove(call->task, call->args[0], query_flag(call, "force"), &report, err) < 0)
        return -1;
    return call_reply_json(call, 200, report, err);
}

int docker_image_prune(struct call *call, struct error *err)
{
    struct filter filter = { 0 };
    int64_t reclaimed_bytes;
    json_t *deleted;

    if (query_filter(call, call->task->mem, image_prune_filters, &filter, err) < 0 ||
        image_prune(call->task, &filter, false, &deleted, &reclaimed_bytes, err) < 0)
        return -1;
    json_t *report = json_object();
    json_set(report, "ImagesDeleted", deleted);
    json_set(report, "SpaceReclaimed", json_integer(reclaimed_bytes));
    return call_reply_json(call, 200, report, err);
}
