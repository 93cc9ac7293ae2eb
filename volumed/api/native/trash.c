/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's trash. */
#include "core/volume/trash.h"

#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"
#include "base/clock.h"

struct restore_request {
    const char *name;
};

struct purge_request {
    int64_t older_ms;
    bool dry_run;
};

static json_t *encode_entry(struct task *task, const struct trash_entry *entry);
static int purge_listed(struct call *call, const struct trash_entry *list, int count,
                        const struct purge_request *request, struct error *err);

int native_trash_list(struct call *call, struct error *err)
{
    struct trash_entry *list = NULL;
    int count = trash_list(call->task, NULL, &list, err);

    if (count < 0)
        return -1;
    json_t *entries = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(entries, encode_entry(call->task, &list[i]));
    return call_reply_json(call, 200, encode_list("trash", entries), err);
}

int native_trash_get(struct call *call, struct error *err)
{
    struct trash_entry entry;

    if (trash_get(call->task, call->args[0], &entry, err) < 0)
        return -1;
    return call_reply_json(call, 200, encode_entry(call->task, &entry), err);
}

int native_trash_restore(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct restore_request, name, OPTIONAL),
        FIELDS_END,
    };
    struct restore_request request = { 0 };
    struct trash_entry entry;

    if (decode_body(call, fields, &request, err) < 0 ||
        trash_restore(call->task, call->args[0], request.name, &entry, err) < 0)
        return -1;
    json_t *json = json_object();
    json_set(json, "id", json_text(entry.id));
    json_set(json, "kind", json_text(entry.kind));
    json_set(json, "name", json_text(entry.name));
    return call_reply_json(call, 200, json, err);
}

int native_trash_purge_one(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(BOOL, struct purge_request, dry_run, OPTIONAL),
        FIELDS_END,
    };
    struct purge_request request = { 0 };
    struct trash_entry entry;

    if (decode_query(call, fields, &request, err) < 0 ||
        trash_get(call->task, call->args[0], &entry, err) < 0)
        return -1;
    return purge_listed(call, &entry, 1, &request, err);
}

int native_trash_purge(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(INT, struct purge_request, older_ms, OPTIONAL),
        FIELD(BOOL, struct purge_request, dry_run, OPTIONAL),
        FIELDS_END,
    };
    struct purge_request request = { 0 };
    struct trash_entry *list = NULL;

    if (decode_body(call, fields, &request, err) < 0)
        return -1;
    int64_t limit_ms = clock_now_ms() - request.older_ms;
    int count = trash_list(call->task, NULL, &list, err);
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (list[i].removed_ms <= limit_ms)
            list[kept++] = list[i];
    return count < 0 ? -1 : purge_listed(call, list, kept, &request, err);
}

static json_t *encode_entry(struct task *task, const struct trash_entry *entry)
{
    json_t *json = json_object();
    struct usage usage;
    struct error ignored; /* what cannot be measured is null */

    json_set(json, "id", json_text(entry->id));
    json_set(json, "kind", json_text(entry->kind));
    json_set(json, "name", json_text(entry->name));
    json_set(json, "pool", json_text(entry->pool_name));
    json_set(json, "snapshots", json_integer(entry->snapshot_count));
    json_set(json, "actor", json_text(entry->actor));
    json_set(json, "used_bytes",
             trash_usage(task, entry, &usage, &ignored) < 0 ? json_null()
                                                            : json_integer(usage.used_bytes));
    encode_time_ms(json, "removed", entry->removed_ms);
    encode_time_ms(json, "expires", entry->expires_ms);
    return json;
}

/* One that was restored or purged meanwhile is no failure, unless it was asked for by name. */
static int purge_listed(struct call *call, const struct trash_entry *list, int count,
                        const struct purge_request *request, struct error *err)
{
    cleanup_json json_t *purged = json_array();
    int64_t bytes = 0;

    for (int i = 0; i < count; i++) {
        struct usage usage = { 0 };
        struct error failure; /* unknown: counts as nothing */
        (void)trash_usage(call->task, &list[i], &usage, &failure);
        if (!request->dry_run && trash_purge(call->task, &list[i], "asked", &failure) < 0) {
            if (failure.code == ERR_CONFLICT && count > 1)
                continue;
            *err = failure;
            return -1;
        }
        bytes += usage.used_bytes;
        json_array_append_new(purged, json_text(list[i].name));
    }
    json_t *json = encode_list("purged", json_incref(purged));
    json_set(json, "reclaimed_bytes", json_integer(bytes));
    json_set(json, "dry_run", json_boolean(request->dry_run));
    return call_reply_json(call, 200, json, err);
}
