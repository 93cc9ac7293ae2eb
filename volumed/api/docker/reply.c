/* SPDX-License-Identifier: Apache-2.0 */
/* The adapters between core's bytes and messages and the HTTP call.  What flows is others'. */
#include "api/docker/reply.h"

#include "base/log.h"

#define JSON_TYPE "application/json"

static ssize_t body_read(void *context, void *data, size_t size, struct error *err);
static int sink_write(void *context, const void *data, size_t size, struct error *err);
static int reply_begin_once(struct call *call, const char *content_type, struct error *err);
static void progress_report(void *context, const json_t *message);
static json_t *error_message_json(const struct error *error);

struct byte_source reply_body_source(struct call *call)
{
    return (struct byte_source){ .read = body_read, .context = call };
}

struct byte_sink reply_sink(struct reply_bytes *bytes)
{
    return (struct byte_sink){ .write = sink_write, .context = bytes };
}

int reply_bytes_end(struct reply_bytes *bytes, struct error *err)
{
    if (reply_begin_once(bytes->call, bytes->content_type, err) < 0)
        return -1;
    return http_reply_end(bytes->call->http, err);
}

struct progress reply_progress(struct call *call)
{
    return (struct progress){ .report = progress_report, .context = call };
}

void reply_message(struct call *call, const json_t *message)
{
    cleanup_buf struct buf line = { 0 };
    struct error err;

    json_append(&line, message);
    buf_text(&line, "\r\n");
    if (reply_begin_once(call, JSON_TYPE, &err) < 0 ||
        http_reply_write(call->http, line.data, line.size, &err) < 0)
        log_debug("message not delivered reason=\"%s\"", err.message);
}

int reply_messages_end(struct call *call, int rc, struct error *err)
{
    if (rc < 0 && !http_reply_has_begun(call->http))
        return -1;
    if (rc < 0) {
        cleanup_json json_t *message = error_message_json(err);
        reply_message(call, message);
    }
    if (reply_begin_once(call, JSON_TYPE, err) < 0)
        return -1;
    return http_reply_end(call->http, err);
}

static ssize_t body_read(void *context, void *data, size_t size, struct error *err)
{
    struct call *call = context;

    return http_body_read(call->http, data, size, err);
}

static int sink_write(void *context, const void *data, size_t size, struct error *err)
{
    struct reply_bytes *bytes = context;

    if (reply_begin_once(bytes->call, bytes->content_type, err) < 0)
        return -1;
    return http_reply_write(bytes->call->http, data, size, err);
}

static int reply_begin_once(struct call *call, const char *content_type, struct error *err)
{
    if (http_reply_has_begun(call->http))
        return 0;
    return http_reply_begin(call->http, 200, content_type, err);
}

static void progress_report(void *context, const json_t *message)
{
    reply_message(context, message);
}

static json_t *error_message_json(const struct error *error)
{
    json_t *detail = json_object();
    json_t *message = json_object();

    json_set(detail, "message", json_text(error->message));
    json_set(message, "errorDetail", detail);
    json_set(message, "error", json_text(error->message));
    return message;
}
