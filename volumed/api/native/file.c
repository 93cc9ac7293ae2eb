/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's files: what is in a volume or a snapshot, as JSON lines, bytes or a tar. */
#include "core/file/file.h"

#include "api/docker/reply.h"
#include "api/native/decode.h"
#include "api/native/encode.h"
#include "api/native/handlers.h"
#include "core/file/file_restore.h"

#define LINES_BYTES ((size_t)32 * 1024) /* lines are gathered to about so much */

/* A listing under way. */
struct listing {
    struct byte_sink sink;
    struct buf lines;
};

static int read_place(const struct call *call, struct file_place *place, struct error *err);
static int add_line(void *context, const struct file_entry *entry, struct error *err);
static int flush_lines(struct listing *listing, struct error *err);
static void listing_done(struct listing *listing);
static json_t *encode_entry(const struct file_entry *entry);

int native_file_list(struct call *call, struct error *err)
{
    struct reply_bytes bytes = { .call = call, .content_type = "application/x-ndjson" };
    CLEANUP(listing_done) struct listing listing = { .sink = reply_sink(&bytes) };
    struct file_place place = { 0 };

    if (read_place(call, &place, err) < 0 ||
        file_list(call->task, &place, add_line, &listing, err) < 0 ||
        flush_lines(&listing, err) < 0)
        return -1;
    return reply_bytes_end(&bytes, err);
}

int native_file_read(struct call *call, struct error *err)
{
    struct reply_bytes bytes = { .call = call, .content_type = "application/octet-stream" };
    struct byte_sink sink = reply_sink(&bytes);
    struct file_place place = { 0 };

    if (read_place(call, &place, err) < 0 || file_read(call->task, &place, &sink, err) < 0)
        return -1;
    return reply_bytes_end(&bytes, err);
}

int native_file_archive(struct call *call, struct error *err)
{
    struct reply_bytes bytes = { .call = call, .content_type = "application/x-tar" };
    struct byte_sink sink = reply_sink(&bytes);
    struct file_place place = { 0 };

    if (read_place(call, &place, err) < 0 || file_archive(call->task, &place, &sink, err) < 0)
        return -1;
    return reply_bytes_end(&bytes, err);
}

int native_file_restore(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct file_restore_spec, snapshot, REQUIRED),
        FIELD(LIST, struct file_restore_spec, paths, REQUIRED),
        FIELD(TEXT, struct file_restore_spec, to, OPTIONAL),
        FIELD_AS(BOOL, "replace", struct file_restore_spec, is_replace, OPTIONAL),
        FIELD_AS(BOOL, "dry_run", struct file_restore_spec, is_dry_run, OPTIONAL),
        FIELDS_END,
    };
    struct file_restore_spec spec = { .volume = call->args[0] };
    struct file_restored *list = NULL;
    size_t count = 0;

    if (decode_body(call, fields, &spec, err) < 0 ||
        file_restore(call->task, &spec, &list, &count, err) < 0)
        return -1;
    json_t *restored = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_object();
        json_set(item, "path", json_text(list[i].path));
        json_set(item, "target", json_text(list[i].target));
        json_set(item, "replaced", json_boolean(list[i].is_replaced));
        json_add(restored, item);
    }
    json_t *json = encode_list("restored", restored);
    json_set(json, "dry_run", json_boolean(spec.is_dry_run));
    return call_reply_json(call, 200, json, err);
}

static int read_place(const struct call *call, struct file_place *place, struct error *err)
{
    static const struct field fields[] = {
        FIELD(TEXT, struct file_place, snapshot, OPTIONAL),
        FIELDS_END,
    };

    place->volume = call->args[0];
    place->path = http_query(call->http, "path"); /* bytes, which JSON's text would change */
    return decode_query(call, fields, place, err);
}

static int add_line(void *context, const struct file_entry *entry, struct error *err)
{
    struct listing *listing = context;
    cleanup_json json_t *json = encode_entry(entry);

    json_append(&listing->lines, json);
    buf_text(&listing->lines, "\n");
    return listing->lines.size < LINES_BYTES ? 0 : flush_lines(listing, err);
}

static int flush_lines(struct listing *listing, struct error *err)
{
    int rc = listing->lines.size == 0
                 ? 0
                 : listing->sink.write(listing->sink.context, listing->lines.data,
                                       listing->lines.size, err);

    buf_clear(&listing->lines);
    return rc;
}

static void listing_done(struct listing *listing)
{
    buf_done(&listing->lines);
}

static json_t *encode_entry(const struct file_entry *entry)
{
    const struct stat *st = &entry->st;
    char mode[8];
    json_t *json = json_object();

    (void)snprintf(mode, sizeof(mode), "%04o", (unsigned int)(st->st_mode & 07777)); /* fits */
    json_set(json, "name", json_text(entry->name));
    json_set(json, "kind", json_text(file_kind(st->st_mode)));
    json_set(json, "mode", json_text(mode));
    json_set(json, "uid", json_integer(st->st_uid));
    json_set(json, "gid", json_integer(st->st_gid));
    json_set(json, "size", json_integer(st->st_size));
    json_set(json, "links", json_integer((json_int_t)st->st_nlink));
    json_set(json, "modified",
             json_time_ns(st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec));
    json_set(json, "modified_ns",
             json_integer(st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec));
    json_set(json, "link_target",
             *entry->link_target != '\0' ? json_text(entry->link_target) : json_null());
    return json;
}
