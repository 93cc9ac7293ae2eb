/* SPDX-License-Identifier: Apache-2.0 */
/* The native door's comparison: a change a line, and what they come to as the last line. */
#include "core/file/diff.h"

#include "api/docker/reply.h"
#include "api/native/decode.h"
#include "api/native/handlers.h"
#include "core/file/file.h"

#define LINES_BYTES ((size_t)32 * 1024) /* lines are gathered to about so much */

struct telling {
    struct byte_sink sink;
    struct buf lines;
    bool is_stat; /* the sum alone */
};

struct diff_request {
    struct diff_spec spec;
    bool is_stat;
};

static int add_change(void *context, const struct tree_change *change, struct error *err);
static int add_line(struct telling *telling, json_t *json, struct error *err);
static int flush_lines(struct telling *telling, struct error *err);
static void telling_done(struct telling *telling);
static json_t *encode_change(const struct tree_change *change);
static json_t *encode_sum(const struct diff_result *result);

int native_diff(struct call *call, struct error *err)
{
    static const struct field fields[] = {
        FIELD_AS(TEXT, "from_volume", struct diff_request, spec.from_volume, REQUIRED),
        FIELD_AS(TEXT, "from_snapshot", struct diff_request, spec.from_snapshot, OPTIONAL),
        FIELD_AS(TEXT, "to_volume", struct diff_request, spec.to_volume, OPTIONAL),
        FIELD_AS(TEXT, "to_snapshot", struct diff_request, spec.to_snapshot, OPTIONAL),
        FIELD_AS(BOOL, "quick", struct diff_request, spec.is_quick, OPTIONAL),
        FIELD_AS(BOOL, "stat", struct diff_request, is_stat, OPTIONAL),
        FIELDS_END,
    };
    struct reply_bytes bytes = { .call = call, .content_type = "application/x-ndjson" };
    CLEANUP(telling_done) struct telling telling = { .sink = reply_sink(&bytes) };
    struct diff_request request = { 0 };
    struct diff_result result;

    if (decode_query(call, fields, &request, err) < 0)
        return -1;
    if (request.spec.to_volume == NULL)
        request.spec.to_volume = request.spec.from_volume;
    telling.is_stat = request.is_stat;
    if (diff_trees(call->task, &request.spec, add_change, &telling, &result, err) < 0 ||
        add_line(&telling, encode_sum(&result), err) < 0 || flush_lines(&telling, err) < 0)
        return -1;
    return reply_bytes_end(&bytes, err);
}

static int add_change(void *context, const struct tree_change *change, struct error *err)
{
    struct telling *telling = context;

    return telling->is_stat ? 0 : add_line(telling, encode_change(change), err);
}

/* Takes over 'json'. */
static int add_line(struct telling *telling, json_t *json, struct error *err)
{
    cleanup_json json_t *owned = json;

    json_append(&telling->lines, owned);
    buf_text(&telling->lines, "\n");
    return telling->lines.size < LINES_BYTES ? 0 : flush_lines(telling, err);
}

static int flush_lines(struct telling *telling, struct error *err)
{
    int rc =
        telling->sink.write(telling->sink.context, telling->lines.data, telling->lines.size, err);

    buf_clear(&telling->lines);
    return rc;
}

static void telling_done(struct telling *telling)
{
    buf_done(&telling->lines);
}

static json_t *encode_change(const struct tree_change *change)
{
    static const char *const kinds[] = {
        [TREE_ADDED] = "added",
        [TREE_REMOVED] = "removed",
        [TREE_CHANGED] = "changed",
    };
    const struct stat *st = change->kind == TREE_REMOVED ? &change->from : &change->to;
    json_t *json = json_object();

    json_set(json, "change", json_text(kinds[change->kind]));
    json_set(json, "path", json_text(*change->path != '\0' ? change->path : "."));
    json_set(json, "kind", json_text(file_kind(st->st_mode)));
    json_set(json, "bytes", json_integer(change->bytes));
    json_set(json, "size_before",
             change->kind == TREE_ADDED ? json_null() : json_integer(change->from.st_size));
    json_set(json, "size",
             change->kind == TREE_REMOVED ? json_null() : json_integer(change->to.st_size));
    json_set(json, "data", json_boolean(change->kind != TREE_CHANGED || change->is_data));
    json_set(json, "metadata", json_boolean(change->kind != TREE_CHANGED || change->is_metadata));
    return json;
}

static json_t *encode_sum(const struct diff_result *result)
{
    json_t *sum = json_object();
    json_t *json = json_object();

    json_set(sum, "added", json_integer(result->added));
    json_set(sum, "removed", json_integer(result->removed));
    json_set(sum, "changed", json_integer(result->changed));
    json_set(sum, "added_bytes", json_integer(result->added_bytes));
    json_set(sum, "removed_bytes", json_integer(result->removed_bytes));
    json_set(sum, "changed_bytes", json_integer(result->changed_bytes));
    json_set(sum, "method", json_text(result->method));
    json_set(sum, "moving", json_boolean(result->is_moving));
    json_set(json, "sum", sum);
    return json;
}
