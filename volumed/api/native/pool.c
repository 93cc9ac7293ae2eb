/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's pools. */
#include "core/pool/pool.h"

#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"
#include "core/pool/growth.h"
#include "core/pool/pool_adopt.h"
#include "core/pool/pool_disk.h"
#include "core/pool/space.h"

struct pool_request {
    const char *name;
    const char *path;
    const char *driver;
    const char *image;
    const char *device;
    int64_t size_bytes;
    int64_t max_bytes;
    bool force;
};

struct pool_change {
    int64_t size_bytes; /* -1: not given */
    struct space_marks marks;
};

static int create_disk(struct call *call, const struct pool_request *request, struct pool *pool,
                       struct error *err);

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
        FIELD(TEXT, struct pool_request, path, OPTIONAL),
        FIELD(TEXT, struct pool_request, driver, OPTIONAL),
        FIELD(TEXT, struct pool_request, image, OPTIONAL),
        FIELD(TEXT, struct pool_request, device, OPTIONAL),
        FIELD(INT, struct pool_request, size_bytes, OPTIONAL),
        FIELD(INT, struct pool_request, max_bytes, OPTIONAL),
        FIELD(BOOL, struct pool_request, force, OPTIONAL),
        FIELDS_END,
    };
    struct pool_request request = { .max_bytes = -1 };
    struct pool pool;

    if (decode_body(call, fields, &request, err) < 0)
        return -1;
    int rc = request.path == NULL
                 ? create_disk(call, &request, &pool, err)
                 : pool_create(call->task, request.name, request.path, request.driver, &pool, err);
    return rc < 0 ? -1 : call_reply_json(call, 201, encode_pool(call->task, &pool), err);
}

int native_pool_change(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(INT, struct pool_change, size_bytes, OPTIONAL),
        FIELD_AS(INT, "warn_percent", struct pool_change, marks.warn_percent, OPTIONAL),
        FIELD_AS(INT, "purge_percent", struct pool_change, marks.purge_percent, OPTIONAL),
        FIELD_AS(INT, "refuse_percent", struct pool_change, marks.refuse_percent, OPTIONAL),
        FIELDS_END,
    };
    struct pool_change change = { -1, { -1, -1, -1 } };
    struct pool pool;

    if (decode_body(call, fields, &change, err) < 0)
        return -1;
    const struct space_marks *marks = &change.marks;
    bool has_marks =
        marks->warn_percent >= 0 || marks->purge_percent >= 0 || marks->refuse_percent >= 0;
    if ((change.size_bytes >= 0) == has_marks)
        return fail(err, ERR_INVALID, "give 'size_bytes', or marks");
    int rc = has_marks ? space_marks_set(call->task, call->args[0], marks, err)
                       : pool_disk_resize(call->task, call->args[0], change.size_bytes, err);
    if (rc < 0 || pool_get(call->task, call->args[0], &pool, err) < 0)
        return -1;
    return call_reply_json(call, 200, encode_pool(call->task, &pool), err);
}

int native_pool_adopt(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct pool_adopt_spec, path, OPTIONAL),
        FIELD(TEXT, struct pool_adopt_spec, image, OPTIONAL),
        FIELD(TEXT, struct pool_adopt_spec, device, OPTIONAL),
        FIELD(TEXT, struct pool_adopt_spec, name, OPTIONAL),
        FIELD_AS(BOOL, "dry_run", struct pool_adopt_spec, is_dry_run, OPTIONAL),
        FIELDS_END,
    };
    struct pool_adopt_spec spec = { 0 };
    cleanup_found struct found found = { 0 };

    if (decode_body(call, fields, &spec, err) < 0 || pool_adopt(call->task, &spec, &found, err) < 0)
        return -1;
    json_t *json = json_object();
    json_set(json, "name", json_text(found.pool.name));
    json_set(json, "id", json_text(found.pool.id));
    json_set(json, "driver", json_text(found.pool.driver));
    json_set(json, "path", json_text(found.pool.path));
    json_set(json, "dry_run", json_boolean(spec.is_dry_run));
    json_set(json, "found", json_incref(found.report));
    return call_reply_json(call, spec.is_dry_run ? 200 : 201, json, err);
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
    struct growth growth;

    if (pool_get(call->task, call->args[0], &pool, err) < 0 ||
        pool_space(call->task, pool.id, &space, err) < 0 ||
        growth_get(call->task, arena_printf(call->task->mem, "pool:%s", pool.id), space.free_bytes,
                   &growth, err) < 0)
        return -1;
    json_t *json = encode_list("pool", json_text(pool.name));
    json_set(json, "size_bytes", json_integer(space.size_bytes));
    json_set(json, "free_bytes", json_integer(space.free_bytes));
    json_set(json, "growth_bytes_per_day", json_integer(growth.bytes_per_day));
    json_set(json, "full_in_days",
             growth.full_in_days >= 0 ? json_integer(growth.full_in_days) : json_null());
    return call_reply_json(call, 200, json, err);
}

static int create_disk(struct call *call, const struct pool_request *request, struct pool *pool,
                       struct error *err)
{
    const struct pool_disk_spec spec = {
        .name = request->name,
        .filesystem = request->driver,
        .image = request->image,
        .device = request->device,
        .size_bytes = request->size_bytes,
        .max_bytes = request->max_bytes,
        .is_forced = request->force,
    };

    return pool_disk_create(call->task, &spec, pool, err);
}
