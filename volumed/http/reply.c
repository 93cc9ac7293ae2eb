/* SPDX-License-Identifier: Apache-2.0 */
/* Status line, headers and framing of replies.  What follows a head that is not a reply's own body
 * is stream.c's and pump.c's. */
#include "http/reply.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/text.h"
#include "http/wire.h"

#define DATE_SIZE 40

static void head_begin(struct http_call *call, struct buf *head, int status, const char *type);
static void head_end(struct http_call *call, struct buf *head);
static void append_date(struct buf *head);
static int send_head(struct http_call *call, const struct buf *head, struct error *err);
static int send_pieces(struct http_call *call, const struct iovec *pieces, int count,
                       struct error *err);
static int begin_chunked(struct http_call *call, int status, const char *type, struct error *err);

void http_reply_header(struct http_call *call, const char *name, const char *value)
{
    struct buf *headers = &call->headers;

    assert(!call->has_begun);
    buf_printf(headers, "%s: ", name);
    for (; *value != '\0'; value++) /* a value may come from a client: it cannot end the line */
        buf_append(headers, text_is_value(*value) ? value : "?", 1);
    buf_text(headers, "\r\n");
}

int http_reply(struct http_call *call, int status, const char *content_type, const void *data,
               size_t size, struct error *err)
{
    cleanup_buf struct buf head = { 0 };

    head_begin(call, &head, status, content_type);
    if (status != 204 && status != 304)
        buf_printf(&head, "Content-Length: %zu\r\n", size);
    head_end(call, &head);
    call->is_over = true;
    const struct iovec pieces[] = { wire_piece(head.data, head.size), wire_piece(data, size) };
    return send_pieces(call, pieces, call->is_bodiless || size == 0 ? 1 : 2, err);
}

int http_reply_begin(struct http_call *call, int status, const char *content_type,
                     struct error *err)
{
    return begin_chunked(call, status, content_type, err);
}

int http_reply_write(struct http_call *call, const void *data, size_t size, struct error *err)
{
    char line[CHUNK_HEAD_SIZE];
    size_t line_size = chunk_head(line, size);
    int rc;

    assert(call->has_begun && !call->is_over);
    if (call->is_bodiless || size == 0)
        return 0;
    const struct iovec pieces[] = { wire_piece(line, line_size), wire_piece(data, size),
                                    wire_piece("\r\n", 2) };
    if (call->is_chunked)
        rc = wire_send(call->connection, pieces, 3);
    else
        rc = wire_send(call->connection, &pieces[1], 1);
    if (rc == 0)
        rc = wire_push(call->connection);
    return rc < 0 ? fail_sys(err, rc, "cannot send the reply") : 0;
}

int http_reply_end(struct http_call *call, struct error *err)
{
    const struct iovec last = wire_piece(CHUNK_LAST, sizeof(CHUNK_LAST) - 1);

    assert(call->has_begun && !call->is_over);
    call->is_over = true;
    if (call->is_bodiless || !call->is_chunked)
        return 0;
    return send_pieces(call, &last, 1, err);
}

bool http_reply_has_begun(const struct http_call *call)
{
    return call->has_begun;
}

int http_reply_stream(struct http_call *call, int status, const char *content_type,
                      struct http_stream *stream, struct error *err)
{
    int rc = begin_chunked(call, status, content_type, err);

    call->is_over = true;
    if (rc < 0 || call->is_bodiless) {
        stream->release(stream);
        return rc;
    }
    call->stream = stream;
    call->sequel = SEQUEL_STREAM;
    return 0;
}

int reply_hijack(struct http_call *call, const char *content_type, struct error *err)
{
    cleanup_buf struct buf head = { 0 };
    bool is_upgrade = call->head.wants_upgrade;

    if (!call->body.is_done)
        return fail(err, ERR_INVALID, "request body was not read before the connection's hijack");
    head_begin(call, &head, is_upgrade ? 101 : 200, content_type);
    if (is_upgrade)
        buf_printf(&head, "Connection: Upgrade\r\nUpgrade: %s\r\n",
                   head_find(&call->head, "Upgrade"));
    call->keeps_alive = true; /* no "Connection: close": both forms are a pipe from here on */
    head_end(call, &head);
    call->is_over = true;
    return send_head(call, &head, err);
}

void reply_complete(struct http_call *call)
{
    struct error err;

    if (!call->has_begun) {
        log_error("request without a reply method=%s path=%s", call->head.method, call->head.path);
        static const char text[] = "500 Internal Server Error\n";
        if (http_reply(call, 500, "text/plain", text, sizeof(text) - 1, &err) < 0)
            log_debug("client lost error=\"%s\"", err.message);
    }
    if (!call->is_over)
        call->connection->is_broken = true; /* closing without the last chunk tells the client */
}

void reply_refusal(struct buf *out, int status)
{
    const char *reason = reply_reason(status);

    buf_printf(out,
               "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
               "Connection: close\r\n\r\n%d %s\n",
               status, reason, strlen(reason) + 5, status, reason);
}

static int begin_chunked(struct http_call *call, int status, const char *type, struct error *err)
{
    cleanup_buf struct buf head = { 0 };

    call->is_chunked = call->head.minor > 0;
    head_begin(call, &head, status, type);
    if (call->is_chunked && status != 204 && status != 304)
        buf_text(&head, "Transfer-Encoding: chunked\r\n");
    head_end(call, &head);
    return send_head(call, &head, err);
}

static void head_begin(struct http_call *call, struct buf *head, int status, const char *type)
{
    assert(!call->has_begun);
    call->has_begun = true;
    call->is_bodiless = status == 204 || status == 304 || strcmp(call->head.method, "HEAD") == 0;
    call->keeps_alive = call->head.keeps_alive && call->body.is_done;
    buf_printf(head, "HTTP/1.1 %d %s\r\n", status, reply_reason(status));
    if (call->connection->server->name != NULL)
        buf_printf(head, "Server: %s\r\n", call->connection->server->name);
    append_date(head);
    if (type != NULL)
        buf_printf(head, "Content-Type: %s\r\n", type);
}

static void head_end(struct http_call *call, struct buf *head)
{
    if (!call->keeps_alive)
        buf_text(head, "Connection: close\r\n");
    buf_append(head, call->headers.data, call->headers.size);
    buf_text(head, "\r\n");
}

/* RFC 9110 section 5.6.7; the C locale's names are the right ones, and we never set another. */
static void append_date(struct buf *head)
{
    char date[DATE_SIZE];
    time_t now = (time_t)(clock_now_ms() / 1000);
    struct tm broken_down;

    if (gmtime_r(&now, &broken_down) != NULL &&
        strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &broken_down) > 0)
        buf_printf(head, "Date: %s\r\n", date);
}

static int send_head(struct http_call *call, const struct buf *head, struct error *err)
{
    const struct iovec piece = wire_piece(head->data, head->size);

    return send_pieces(call, &piece, 1, err);
}

static int send_pieces(struct http_call *call, const struct iovec *pieces, int count,
                       struct error *err)
{
    int rc = wire_send(call->connection, pieces, count);

    return rc < 0 ? fail_sys(err, rc, "cannot send the reply") : 0;
}
