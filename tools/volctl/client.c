/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client: connect, send, read the head, then the body in whichever form it comes. */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"

#define HEAD_MAX    ((size_t)64 << 10)
#define PIECE_BYTES ((size_t)64 << 10)
#define TICK_MS     1000

static int connect_socket(const char *socket, struct error *err);
static int send_request(int fd, const struct request *request, struct error *err);
static int upload(int fd, const struct request *request, struct error *err);
static int wait_readable(int fd, const struct ticker *ticker, struct error *err);
static int read_head(struct reply *reply, const struct ticker *ticker, struct error *err);
static int take_head(struct reply *reply, struct error *err);
static int parse_head(struct reply *reply, char *head, struct error *err);
static void parse_header(struct reply *reply, char *line);
static int read_line(struct reply *reply, char *line, size_t size, struct error *err);
static bool take_line(struct reply *reply, char *line, size_t size);
static int next_chunk(struct reply *reply, struct error *err);
static int fill(struct reply *reply, struct error *err);
static ssize_t take(struct reply *reply, void *data, size_t size);

int client_ask(const char *socket, const struct request *request, struct reply *reply,
               struct error *err)
{
    struct error send_err;

    *reply = (struct reply){ .fd = connect_socket(socket, err) };
    if (reply->fd < 0)
        return -1;
    reply->is_open = true;
    /* A server that refuses an upload answers and closes: its answer says more than our EPIPE. */
    int sent = send_request(reply->fd, request, &send_err);
    if (read_head(reply, request->ticker, err) == 0)
        return 0;
    if (sent < 0)
        *err = send_err;
    reply_done(reply);
    return -1;
}

ssize_t reply_read(struct reply *reply, void *data, size_t size, struct error *err)
{
    if (!reply->is_ended && reply->is_chunked && reply->left == 0 && next_chunk(reply, err) < 0)
        return -1;
    if (reply->is_ended || reply->left == 0)
        return 0;
    if (reply->in.size == 0) {
        int rc = fill(reply, err);
        if (rc < 0)
            return -1;
        if (rc == 0 && reply->left > 0)
            return fail(err, ERR_SYSTEM, "the reply was broken off");
        if (rc == 0) {
            reply->is_ended = true;
            return 0;
        }
    }
    return take(reply, data, size);
}

bool reply_has_buffered(const struct reply *reply)
{
    size_t skip = 0;

    if (reply->is_ended || !reply->is_chunked || reply->left > 0)
        return reply->is_ended || reply->in.size > 0;
    if (reply->in.size >= 2 && memcmp(reply->in.data, "\r\n", 2) == 0)
        skip = 2; /* the end of the chunk before comes with it and is no data */
    return reply->in.size > skip &&
           memmem(reply->in.data + skip, reply->in.size - skip, "\r\n", 2) != NULL;
}

int reply_read_all(struct reply *reply, size_t max, struct buf *body, struct error *err)
{
    for (;;) {
        char *room = buf_reserve(body, PIECE_BYTES);
        ssize_t count = reply_read(reply, room, PIECE_BYTES, err);
        if (count <= 0)
            return (int)count;
        body->size += (size_t)count;
        body->data[body->size] = '\0';
        if (body->size > max)
            return fail(err, ERR_SYSTEM, "the reply is larger than %zu bytes", max);
    }
}

void reply_done(struct reply *reply)
{
    if (!reply->is_open)
        return;
    (void)close(reply->fd); /* nothing of ours is unwritten */
    buf_done(&reply->in);
    *reply = (struct reply){ 0 };
}

static int connect_socket(const char *socket, struct error *err)
{
    const char *slash = strrchr(socket, '/');
    const char *name = slash != NULL ? slash + 1 : socket;
    cleanup_arena struct arena *mem = arena_new();
    const char *dir = slash == NULL     ? "."
                      : slash == socket ? "/"
                                        : arena_strndup(mem, socket, (size_t)(slash - socket));
    cleanup_fd int dirfd = sys_openat(AT_FDCWD, dir, O_PATH | O_DIRECTORY, 0);

    int fd = dirfd < 0 ? dirfd : sys_connect_unix_at(dirfd, name);
    if (fd >= 0)
        return fd;
    (void)fail_sys(err, fd, CLIENT_UNREACHABLE "'%s'", socket);
    if (err->code != ERR_DENIED)
        err->code = ERR_SYSTEM; /* a missing socket is not a missing object */
    return -1;
}

static int send_request(int fd, const struct request *request, struct error *err)
{
    cleanup_buf struct buf out = { 0 };
    bool has_body = request->content_type != NULL;

    buf_printf(&out, "%s %s HTTP/1.1\r\nHost: volumed\r\nUser-Agent: volctl/%s\r\n",
               request->method, request->path, VOLUMED_VERSION);
    if (request->idempotency_key != NULL)
        buf_printf(&out, "Idempotency-Key: %s\r\n", request->idempotency_key);
    if (request->is_upgrade)
        buf_text(&out, "Connection: Upgrade\r\nUpgrade: tcp\r\n");
    else
        buf_text(&out, "Connection: close\r\n");
    if (has_body)
        buf_printf(&out, "Content-Type: %s\r\n", request->content_type);
    if (request->is_upload)
        buf_text(&out, "Transfer-Encoding: chunked\r\n\r\n");
    else if (has_body || strcmp(request->method, "POST") == 0)
        buf_printf(&out, "Content-Length: %zu\r\n\r\n", request->body_size);
    else
        buf_text(&out, "\r\n");
    if (request->body_size > 0)
        buf_append(&out, request->body, request->body_size);
    int rc = sys_write_all(fd, out.data, out.size);
    if (rc < 0)
        return fail_sys(err, rc, "cannot send the request");
    return request->is_upload ? upload(fd, request, err) : 0;
}

static int upload(int fd, const struct request *request, struct error *err)
{
    cleanup_buf struct buf chunk = { 0 };
    int64_t began_ms = clock_mono_ms();
    int64_t told_ms = began_ms;
    int64_t sent = 0;

    for (;;) {
        static const size_t prefix = 10; /* "12345678\r\n" */
        buf_clear(&chunk);
        char *room = buf_reserve(&chunk, prefix + PIECE_BYTES + 2);
        ssize_t count = sys_read(request->body_fd, room + prefix, PIECE_BYTES);
        if (count < 0)
            return fail_sys(err, (int)count, "cannot read the input");
        buf_printf(&chunk, "%08zx\r", (size_t)count);
        room[prefix - 1] = '\n'; /* where buf_printf ended its text */
        room[prefix + (size_t)count] = '\r';
        room[prefix + (size_t)count + 1] = '\n';
        int rc = sys_write_all(fd, room, prefix + (size_t)count + 2);
        if (rc < 0)
            return fail_sys(err, rc, "cannot send the input");
        if (count == 0)
            return 0;
        sent += count;
        if (request->ticker != NULL && clock_mono_ms() - told_ms >= TICK_MS) {
            told_ms = clock_mono_ms();
            request->ticker->tick(request->ticker->context, told_ms - began_ms, sent);
        }
    }
}

static int wait_readable(int fd, const struct ticker *ticker, struct error *err)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
    int64_t began_ms = clock_mono_ms();

    for (;;) {
        int ready = poll(&poll_fd, 1, ticker != NULL ? TICK_MS : -1);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return fail_sys(err, -errno, "cannot wait for the reply");
        if (ready == 0 && ticker != NULL)
            ticker->tick(ticker->context, clock_mono_ms() - began_ms, 0);
    }
}

static int read_head(struct reply *reply, const struct ticker *ticker, struct error *err)
{
    for (;;) {
        int rc = take_head(reply, err);
        if (rc != 0)
            return rc < 0 ? -1 : 0;
        if (reply->in.size > HEAD_MAX)
            return fail(err, ERR_SYSTEM, "the reply's head is too large");
        if (wait_readable(reply->fd, ticker, err) < 0)
            return -1;
        rc = fill(reply, err);
        if (rc == 0)
            return fail(err, ERR_SYSTEM, "the server closed the connection without a reply");
        if (rc < 0)
            return -1;
    }
}

/* 1: the reply's head was read, 0: it is not whole, -1.  100 Continue and its kind are passed over.
 */
static int take_head(struct reply *reply, struct error *err)
{
    char *end;

    while (reply->in.size > 0 && (end = strstr(reply->in.data, "\r\n\r\n")) != NULL) {
        size_t length = (size_t)(end - reply->in.data) + 4;
        end[2] = '\0';
        if (parse_head(reply, reply->in.data, err) < 0)
            return -1;
        buf_consume(&reply->in, length);
        if (reply->status >= 200 || reply->status == 101)
            return 1;
    }
    return 0;
}

static int parse_head(struct reply *reply, char *head, struct error *err)
{
    char *rest;

    if (strncmp(head, "HTTP/1.", 7) != 0 || strlen(head) < 12)
        return fail(err, ERR_SYSTEM, "the reply is not HTTP");
    reply->status = (int)strtol(head + 9, &rest, 10);
    if (rest != head + 12 || reply->status < 100)
        return fail(err, ERR_SYSTEM, "the reply is not HTTP");
    reply->left = -1;
    reply->is_chunked = false;
    for (char *line = strstr(head, "\r\n"); line != NULL && line[2] != '\0';) {
        char *next = strstr(line + 2, "\r\n");
        if (next != NULL)
            *next = '\0';
        parse_header(reply, line + 2);
        line = next;
    }
    if (reply->status == 204 || reply->status == 304)
        reply->left = 0;
    if (reply->is_chunked)
        reply->left = 0; /* of the chunk before the first */
    reply->is_ended = !reply->is_chunked && reply->left == 0;
    return 0;
}

static void parse_header(struct reply *reply, char *line)
{
    char *value = strchr(line, ':');

    if (value == NULL)
        return;
    *value++ = '\0';
    value += strspn(value, " \t");
    if (strcasecmp(line, "Content-Length") == 0)
        reply->left = strtoll(value, NULL, 10);
    else if (strcasecmp(line, "Transfer-Encoding") == 0)
        reply->is_chunked = strcasecmp(value, "chunked") == 0;
}

/* Copies the line at the front of what was read, without its end; false when it is not whole. */
static bool take_line(struct reply *reply, char *line, size_t size)
{
    char *end = reply->in.size > 0 ? memmem(reply->in.data, reply->in.size, "\r\n", 2) : NULL;

    if (end == NULL || (size_t)(end - reply->in.data) >= size)
        return false;
    size_t length = (size_t)(end - reply->in.data);
    memcpy(line, reply->in.data, length);
    line[length] = '\0';
    buf_consume(&reply->in, length + 2);
    return true;
}

/* Between chunks: the end of the last, the size of the next. */
static int next_chunk(struct reply *reply, struct error *err)
{
    char line[256] = "";
    char *end;

    do {
        if (read_line(reply, line, sizeof(line), err) < 0)
            return -1;
    } while (line[0] == '\0'); /* the end of the chunk before */
    reply->left = strtoll(line, &end, 16);
    if (end == line || reply->left < 0)
        return fail(err, ERR_SYSTEM, "the reply has a chunk without a size");
    reply->is_ended = reply->left == 0;
    return 0;
}

static int read_line(struct reply *reply, char *line, size_t size, struct error *err)
{
    while (!take_line(reply, line, size)) {
        int rc = reply->in.size < size ? fill(reply, err) : 0;
        if (rc == 0)
            return fail(err, ERR_SYSTEM, "the reply was broken off");
        if (rc < 0)
            return -1;
    }
    return 0;
}

/* Reads once from the socket: > 0, 0 at its end, -1. */
static int fill(struct reply *reply, struct error *err)
{
    char *room = buf_reserve(&reply->in, PIECE_BYTES);
    ssize_t count = sys_read(reply->fd, room, PIECE_BYTES);

    if (count == -ECONNRESET)
        count = 0; /* the server's way to break off */
    if (count < 0)
        return fail_sys(err, (int)count, "cannot read the reply");
    reply->in.size += (size_t)count;
    reply->in.data[reply->in.size] = '\0';
    return count > 0;
}

static ssize_t take(struct reply *reply, void *data, size_t size)
{
    if (size > reply->in.size)
        size = reply->in.size;
    if (reply->left >= 0 && (int64_t)size > reply->left)
        size = (size_t)reply->left;
    memcpy(data, reply->in.data, size);
    buf_consume(&reply->in, size);
    if (reply->left >= 0)
        reply->left -= (int64_t)size;
    return (ssize_t)size;
}
