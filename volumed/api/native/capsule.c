/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's capsules: a stream out, a stream in. */
#include "core/capsule/capsule.h"

#include <string.h>

#include "api/docker/reply.h"
#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"

struct export_query {
    const char *snapshots;
};

struct import_query {
    struct pairs renames;
    const char *pool;
    bool dry_run;
};

int native_capsule_export(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct export_query, snapshots, OPTIONAL),
        FIELDS_END,
    };
    struct reply_bytes bytes = { .call = call, .content_type = "application/octet-stream" };
    struct byte_sink sink = reply_sink(&bytes);
    struct export_query query = { .snapshots = "none" };
    enum capsule_snapshots which;

    if (decode_query(call, fields, &query, err) < 0 ||
        capsule_snapshots_find(query.snapshots, &which, err) < 0 ||
        capsule_export(call->task, call->args[0], which, &sink, err) < 0)
        return -1;
    return reply_bytes_end(&bytes, err);
}

int native_capsule_import(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct import_query, pool, OPTIONAL),
        FIELD(BOOL, struct import_query, dry_run, OPTIONAL),
        FIELDS_END,
    };
    struct byte_source source = reply_body_source(call);
    struct import_query query = { 0 };
    const char *renames = http_query(call->http, "renames");
    struct error ignored;
    const char *id = NULL;

    if (decode_query(call, fields, &query, err) < 0)
        return -1;
    cleanup_json json_t *map =
        renames == NULL ? json_object() : json_read(renames, strlen(renames), &ignored);
    if (map == NULL || pairs_from_json(&query.renames, call->task->mem, map, err) < 0)
        return fail(err, ERR_INVALID, "'renames' must be a JSON object of names");
    const struct capsule_import_spec spec = { .renames = query.renames, .pool = query.pool };
    if (query.dry_run) {
        json_t *told = NULL;
        return capsule_foretell(call->task, &spec, &source, &told, err) < 0
                   ? -1
                   : call_reply_json(call, 200, told, err);
    }
    if (capsule_import(call->task, &spec, &source, &id, err) < 0)
        return -1;
    return call_reply_json(call, 201, json_pack("{s:s}", "id", id), err);
}

int native_capsule_verify(struct call *call, struct error *err)
{
    struct byte_source source = reply_body_source(call);
    json_t *manifest = NULL;
    int64_t bytes = 0;

    if (capsule_verify(call->task, &source, &manifest, &bytes, err) < 0)
        return -1;
    json_t *json = json_object();
    json_set(json, "bytes", json_integer(bytes));
    json_set(json, "manifest", manifest);
    return call_reply_json(call, 200, json, err);
}
