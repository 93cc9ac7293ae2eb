/* SPDX-License-Identifier: Apache-2.0 */
/* GET /containers/json: what ps shows. */
#include "api/docker/container_json.h"
#include "api/docker/handlers.h"
#include "api/docker/query.h"

static int list_json(struct call *call, const struct container *list, int count, json_t **json,
                     struct error *err);

int docker_container_list(struct call *call, struct error *err)
{
    struct container_list_spec spec = { .is_all = query_flag(call, "all") };
    struct container *list;
    json_t *json;

    if (call_query_int(call, "limit", &spec.limit, err) < 0 ||
        query_filter(call, call->task->mem, container_filters, &spec.filter, err) < 0)
        return -1;
    if (spec.limit > 0)
        spec.is_all = true;
    int count = container_list(call->task, &spec, &list, err);
    if (count < 0)
        return -1;
    int rc = list_json(call, list, count, &json, err);
    for (int i = 0; i < count; i++)
        container_done(&list[i]);
    return rc < 0 ? -1 : call_reply_json(call, 200, json, err);
}

static int list_json(struct call *call, const struct container *list, int count, json_t **json,
                     struct error *err)
{
    cleanup_json json_t *rows = json_array();
    bool has_size = query_flag(call, "size");

    for (int i = 0; i < count; i++) {
        json_t *row;
        if (docker_container_summary_json(call->task, &list[i], has_size, &row, err) < 0)
            return -1;
        json_add(rows, row);
    }
    *json = json_incref(rows);
    return 0;
}
