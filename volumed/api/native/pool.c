/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's pools. */
#include "core/pool.h"

#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"

struct pool_request {
    const char *name;
    const char *path;
    const char *driver;
};

int native_pool_list(struct call *call, struct error *err)
{
    struct pool *list;
    int count = pool_list(call->task, &list, err);

    if (count < 0)
        return -1;
    json_t *pools = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(pools, encode_pool(call->task, &list[i]));
    return call_reply_json(call, 200, encode_list("pools", pools), err);
}

int native_pool_create(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct pool_request, name, REQUIRED),
        FIELD(TEXT, struct pool_request, path, REQUIRED),
        FIELD(TEXT, struct pool_request, driver, OPTIONAL),
        FIELDS_END,
    };
    struct pool_request request = { 0 };
    struct pool pool;

    if (decode_body(call, fields, &request, err) < 0 ||
        pool_create(call->task, request.name, request.path, request.driver, &pool, err) < 0)
        return -1;
    return call_reply_json(call, 201, encode_pool(call->task, &pool), err);
}

int native_pool_get(struct call *call, struct error *err)
{
    struct pool pool;

    if (pool_get(call->task, call->args[0], &pool, err) < 0)
        return -1;
    return call_reply_json(call, 200, encode_pool(call->task, &pool), err);
}

int native_pool_remove(struct call *call, struct error *err)
{
    struct pool pool;

    if (pool_get(call->task, call->args[0], &pool, err) < 0 ||
        pool_remove(call->task, pool.id, err) < 0)
        return -1;
    return call_reply_json(call, 200, encode_list("pool", json_text(pool.name)), err);
}

int native_pool_space(struct call *call, struct error *err)
{
    struct pool pool;
    struct pool_space space;

    if (pool_get(call->task, call->args[0], &pool, err) < 0 ||
        pool_space(call->task, pool.id, &space, err) < 0)
        return -1;
    json_t *json = encode_list("pool", json_text(pool.name));
    json_set(json, "size_bytes", json_integer(space.size_bytes));
    json_set(json, "free_bytes", json_integer(space.free_bytes));
    return call_reply_json(call, 200, json, err);
}
