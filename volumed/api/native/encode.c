/* SPDX-License-Identifier: Apache-2.0 */
/* The native API's JSON, field by field.  Reading requests is decode.c's. */
#include "api/native/encode.h"

#include <stdio.h>
#include <string.h>

#include "core/pool/pool.h"
#include "core/pool/pool_disk.h"
#include "core/pool/space.h"
#include "core/volume/volume.h"
#include "core/volume/volume_limit.h"

static void set_known(json_t *json, const char *name, int64_t number);
static json_t *encode_pool_disk(struct task *task, const struct pool *pool);
static json_t *encode_marks(struct task *task, const struct pool *pool);
static json_t *stored_json(const char *text);

json_t *encode_volume(struct task *task, const struct volume *volume)
{
    json_t *json = json_object();

    json_set(json, "id", json_text(volume->id));
    json_set(json, "name", json_text(volume->name));
    json_set(json, "pool", json_text(volume->pool_name));
    json_set(json, "pool_id", json_text(volume->pool_id));
    json_set(json, "state", json_text(volume->state));
    json_set(json, "driver", json_text(volume->driver));
    json_set(json, "path", json_text(volume_path(task, volume)));
    json_set(json, "options", pairs_to_json(&volume->options));
    json_set(json, "limit", encode_limit(volume));
    json_set(json, "labels", pairs_to_json(&volume->labels));
    json_set(json, "anonymous", json_boolean(volume->is_anonymous));
    json_set(json, "protected", json_boolean(volume->is_protected));
    json_set(json, "seeded", json_boolean(volume->is_seeded));
    json_set(json, "seeded_from", stored_json(volume->seeded_from));
    json_set(json, "parent", stored_json(volume->parent));
    encode_time_ms(json, "created", volume->created_ms);
    return json;
}

json_t *encode_measure(const struct measure *measure)
{
    json_t *json = json_object();

    set_known(json, "used_bytes", measure->used_bytes);
    set_known(json, "exclusive_bytes", measure->exclusive_bytes);
    set_known(json, "apparent_bytes", measure->apparent_bytes);
    set_known(json, "files", measure->files);
    json_set(json, "counted", json_boolean(measure->is_counted));
    encode_time_ms(json, "measured", measure->measured_ms);
    encode_time_ms(json, "walked", measure->walked_ms);
    json_set(json, "growth_bytes_per_day", json_integer(measure->growth.bytes_per_day));
    set_known(json, "full_in_days", measure->growth.full_in_days);
    return json;
}

static void set_known(json_t *json, const char *name, int64_t number)
{
    json_set(json, name, number >= 0 ? json_integer(number) : json_null());
}

/* {size_bytes, inodes}, each null when there is no limit. */
json_t *encode_limit(const struct volume *volume)
{
    struct volume_limit limit = { 0 };
    struct error ignored; /* stored options were read before they were stored */
    json_t *json = json_object();

    (void)volume_limit_read(&volume->options, &limit, &ignored);
    json_set(json, "size_bytes",
             limit.size_bytes > 0 ? json_integer(limit.size_bytes) : json_null());
    json_set(json, "inodes", limit.inodes > 0 ? json_integer(limit.inodes) : json_null());
    return json;
}

json_t *encode_snapshot(const struct snapshot *snapshot)
{
    json_t *json = json_object();

    json_set(json, "id", json_text(snapshot->id));
    json_set(json, "name", json_text(snapshot->name));
    json_set(json, "volume", json_text(snapshot->volume_name));
    json_set(json, "volume_id", json_text(snapshot->volume_id));
    json_set(json, "pool_id", json_text(snapshot->pool_id));
    json_set(json, "state", json_text(snapshot->state));
    json_set(json, "reason", json_text(snapshot->reason));
    json_set(json, "fence", json_text(snapshot->fence));
    json_set(json, "pause_ns", json_integer(snapshot->pause_ns));
    json_set(json, "set", json_text(snapshot->set_name));
    json_set(json, "set_id", json_text(snapshot->set_id));
    json_set(json, "labels", pairs_to_json(&snapshot->labels));
    encode_time_ms(json, "created", snapshot->created_ms);
    return json;
}

json_t *encode_pool(struct task *task, const struct pool *pool)
{
    json_t *json = json_object();
    json_t *space = json_object();
    struct pool_space bytes;
    struct error err;

    json_set(json, "id", json_text(pool->id));
    json_set(json, "name", json_text(pool->name));
    json_set(json, "driver", json_text(pool->driver));
    json_set(json, "path", json_text(pool->path));
    json_set(json, "default", json_boolean(pool->is_default));
    encode_time_ms(json, "created", pool->created_ms);
    json_set(json, "disk", encode_pool_disk(task, pool));
    json_set(json, "marks", encode_marks(task, pool));
    if (pool_space(task, pool->id, &bytes, &err) < 0) {
        json_decref(space);
        json_set(json, "space", json_null());
        json_set(json, "problem", json_text(err.message));
        return json;
    }
    json_set(space, "size_bytes", json_integer(bytes.size_bytes));
    json_set(space, "free_bytes", json_integer(bytes.free_bytes));
    json_set(json, "space", space);
    json_set(json, "problem", json_null());
    return json;
}

static json_t *encode_marks(struct task *task, const struct pool *pool)
{
    struct space_marks marks;
    struct error ignored; /* a database that fails tells of it elsewhere */

    if (space_marks_get(task, pool->id, &marks, &ignored) < 0)
        return json_null();
    return json_pack("{sI sI sI}", "warn_percent", (json_int_t)marks.warn_percent, "purge_percent",
                     (json_int_t)marks.purge_percent, "refuse_percent",
                     (json_int_t)marks.refuse_percent);
}

/* null for a pool in a directory of the host. */
static json_t *encode_pool_disk(struct task *task, const struct pool *pool)
{
    struct pool_disk disk;
    struct error ignored; /* the pool's problem is told beside it */

    if (pool_disk_find(task, pool->id, &disk, &ignored) <= 0)
        return json_null();
    json_t *json = pool_disk_to_json(&disk);
    json_set(json, "direct_io", json_boolean(pool_disk_is_direct(&disk)));
    return json;
}

json_t *encode_attachment(const struct attachment *attachment)
{
    json_t *json = json_object();

    json_set(json, "container_id", json_text(attachment->container_id));
    json_set(json, "volume", json_text(attachment->volume_name));
    json_set(json, "volume_id", json_text(attachment->volume_id));
    json_set(json, "destination", json_text(attachment->destination));
    json_set(json, "subpath", json_text_or_empty(attachment->subpath));
    json_set(json, "mode", json_text(access_mode_name(attachment->mode)));
    json_set(json, "read_only", json_boolean(attachment_is_read_only(attachment)));
    json_set(json, "snapshot", json_text(attachment->snapshot));
    json_set(json, "scratch", json_boolean(attachment->is_scratch));
    json_set(json, "standby", json_boolean(attachment->is_standby));
    json_set(json, "wait_ms", json_integer(attachment->wait_ms));
    json_set(json, "anonymous", json_boolean(attachment->is_anonymous));
    json_set(json, "nocopy", json_boolean(attachment->is_nocopy));
    json_set(json, "nosuid", json_boolean(attachment->is_nosuid));
    json_set(json, "nodev", json_boolean(attachment->is_nodev));
    json_set(json, "noexec", json_boolean(attachment->is_noexec));
    json_set(json, "propagation", json_text_or_empty(attachment->propagation));
    json_set(json, "uid_map", json_text_or_empty(attachment->uid_map));
    json_set(json, "gid_map", json_text_or_empty(attachment->gid_map));
    return json;
}

json_t *encode_operation(const struct operation *operation)
{
    json_t *json = json_object();
    json_t *error = NULL;

    json_set(json, "id", json_text(operation->id));
    json_set(json, "kind", json_text(operation->kind));
    json_set(json, "subject", json_text(operation->subject));
    json_set(json, "state", json_text(operation->state));
    json_set(json, "step", json_integer(operation->step));
    json_set(json, "actor", json_text(operation->actor));
    json_set(json, "idempotency_key", json_text(operation->idempotency_key));
    json_set(json, "result", stored_json(operation->result));
    if (operation->error_code != NULL && *operation->error_code != '\0') {
        error = json_object();
        json_set(error, "code", json_text(operation->error_code));
        json_set(error, "message", json_text_or_empty(operation->error_message));
    }
    json_set(json, "error", error != NULL ? error : json_null());
    encode_time_ms(json, "started", operation->started_ms);
    encode_time_ms(json, "finished", operation->finished_ms);
    return json;
}

json_t *encode_event(const struct event *event)
{
    json_t *json = json_object();

    json_set(json, "seq", json_integer(event->seq));
    json_set(json, "time", json_time_ns(event->time_ns));
    json_set(json, "time_ns", json_integer(event->time_ns));
    json_set(json, "type", json_text(event->type));
    json_set(json, "action", json_text(event->action));
    json_set(json, "object_id", json_text(event->object_id));
    json_set(json, "attributes", pairs_to_json(&event->attributes));
    json_set(json, "actor", json_text(event->actor));
    return json;
}

json_t *encode_findings(const struct findings *findings, bool is_repair)
{
    json_t *json = json_object();
    json_t *list = json_array();
    bool is_clean = true;

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        json_t *item = json_object();
        json_set(item, "kind", json_text(finding->kind));
        json_set(item, "object", json_text(finding->object));
        json_set(item, "text", json_text(finding->text));
        json_set(item, "repairable", json_boolean(finding->can_repair));
        json_set(item, "repaired", json_boolean(finding->is_repaired));
        json_array_append_new(list, item);
        is_clean = is_clean && finding->is_repaired;
    }
    json_set(json, "repair", json_boolean(is_repair));
    json_set(json, "clean", json_boolean(is_clean));
    json_set(json, "findings", list);
    return json;
}

void encode_time_ms(json_t *object, const char *name, int64_t time_ms)
{
    char number_name[64];

    (void)snprintf(number_name, sizeof(number_name), "%s_ms", name); /* names are ours, short */
    json_set(object, name, time_ms == 0 ? json_null() : json_time_ms(time_ms));
    json_set(object, number_name, time_ms == 0 ? json_null() : json_integer(time_ms));
}

json_t *encode_list(const char *name, json_t *list)
{
    json_t *json = json_object();

    json_set(json, name, list);
    return json;
}

/* JSON text from the database as JSON; null when absent, and text as text should it not be JSON. */
static json_t *stored_json(const char *text)
{
    struct error err; /* the text itself is the better answer */
    json_t *json;

    if (text == NULL || *text == '\0')
        return json_null();
    json = json_read(text, strlen(text), &err);
    return json != NULL ? json : json_text(text);
}
