/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts a reply into lines. */
#include "lines.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)16 << 20)
#define PIECE_BYTES    ((size_t)16 << 10)

static bool reader_is_gone(const struct reply *reply);
static int cut_lines(struct buf *text, bool is_end, line_fn each, void *context, struct error *err);
static int cut_line(char *line, size_t size, line_fn each, void *context, struct error *err);

int lines_each(struct reply *reply, line_fn each, void *context, struct error *err)
{
    cleanup_buf struct buf text = { 0 };

    for (;;) {
        if (reader_is_gone(reply))
            return 0;
        char *room = buf_reserve(&text, PIECE_BYTES);
        ssize_t count = reply_read(reply, room, PIECE_BYTES, err);
        if (count < 0)
            return -1;
        text.size += (size_t)count;
        text.data[text.size] = '\0';
        int rc = cut_lines(&text, count == 0, each, context, err);
        if (rc != 0 || count == 0)
            return rc < 0 ? -1 : 0;
        if (text.size > LINE_MAX_BYTES)
            return fail(err, ERR_SYSTEM, "the service sent a line without an end");
    }
}

/* Waits for more of the reply; true when whoever read our output has closed it meanwhile. */
static bool reader_is_gone(const struct reply *reply)
{
    struct pollfd poll_fds[] = { { .fd = reply->fd, .events = POLLIN }, { .fd = STDOUT_FILENO } };

    if (reply_has_buffered(reply))
        return false;
    return poll(poll_fds, ARRAY_SIZE(poll_fds), -1) > 0 && (poll_fds[1].revents & POLLERR) != 0;
}

/* Takes whole lines off 'text', and the rest as well at the end. */
static int cut_lines(struct buf *text, bool is_end, line_fn each, void *context, struct error *err)
{
    char *line = text->data;
    char *end;
    int rc = 0;

    while (rc == 0 && (end = strchr(line, '\n')) != NULL) {
        *end = '\0';
        rc = cut_line(line, (size_t)(end - line), each, context, err);
        line = end + 1;
    }
    if (rc == 0 && is_end) {
        rc = cut_line(line, strlen(line), each, context, err);
        line += strlen(line);
    }
    buf_consume(text, (size_t)(line - text->data));
    return rc;
}

static int cut_line(char *line, size_t size, line_fn each, void *context, struct error *err)
{
    while (size > 0 && line[size - 1] == '\r')
        line[--size] = '\0';
    return size == 0 ? 0 : each(context, line, size, err);
}
