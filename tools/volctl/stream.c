/* SPDX-License-Identifier: Apache-2.0 */
/* The pump between us and a container, and Docker's framing. */
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sys.h"

#define FRAME_HEAD  8
#define FRAME_MAX   ((size_t)64 << 20)
#define PIECE_BYTES ((size_t)32 << 10)
#define KEPT_MAX    ((size_t)64 << 20)

static int wait_for_input(struct stream *stream, short *ready, struct error *err);
static int read_output(struct stream *stream, struct buf *in, struct error *err);
static int write_frames(struct stream *stream, struct buf *in, struct error *err);
static void pass_stdin(struct stream *stream);
static void pass_signal(struct stream *stream);

enum {
    FROM_REPLY,
    FROM_STDIN,
    FROM_SIGNAL,
    SOURCE_COUNT
};

int stream_pump(struct stream *stream, struct error *err)
{
    cleanup_buf struct buf in = { 0 };
    short ready[SOURCE_COUNT] = { 0 };
    int rc = 1;

    while (rc > 0) {
        if (wait_for_input(stream, ready, err) < 0)
            return -1;
        if (ready[FROM_SIGNAL] != 0)
            pass_signal(stream);
        if (ready[FROM_STDIN] != 0)
            pass_stdin(stream);
        if (ready[FROM_REPLY] != 0)
            rc = read_output(stream, &in, err);
    }
    if (rc == 0 && in.size > 0)
        return fail(err, ERR_SYSTEM, "the stream was broken off");
    return rc;
}

void stream_done(struct stream *stream)
{
    for (size_t i = 0; i < ARRAY_SIZE(stream->kept); i++)
        buf_done(&stream->kept[i]);
}

int stream_print(struct stream *stream, enum stream_channel channel, const void *data, size_t size,
                 struct error *err)
{
    int rc = sys_write_all(channel == STREAM_STDERR ? STDERR_FILENO : STDOUT_FILENO, data, size);

    (void)stream;
    return rc < 0 ? fail_sys(err, rc, "cannot write the output") : 0;
}

int stream_keep(struct stream *stream, enum stream_channel channel, const void *data, size_t size,
                struct error *err)
{
    struct buf *kept = &stream->kept[channel == STREAM_STDERR ? 1 : 0];

    if (kept->size + size > KEPT_MAX)
        return fail(err, ERR_UNSUPPORTED, "the output is too large for one JSON document");
    buf_append(kept, data, size);
    return 0;
}

void stream_set_kept(const struct stream *stream, json_t *object)
{
    static const char *const names[] = { "stdout", "stderr" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        json_set(object, names[i], json_text_or_empty(stream->kept[i].data));
}

static int wait_for_input(struct stream *stream, short *ready, struct error *err)
{
    struct pollfd poll_fds[SOURCE_COUNT] = {
        [FROM_REPLY] = { .fd = stream->reply->fd, .events = POLLIN },
        [FROM_STDIN] = { .fd = stream->has_stdin ? STDIN_FILENO : -1, .events = POLLIN },
        [FROM_SIGNAL] = { .fd = stream->signal_fd, .events = POLLIN },
    };
    bool has_buffered = reply_has_buffered(stream->reply);

    while (poll(poll_fds, SOURCE_COUNT, has_buffered ? 0 : -1) < 0)
        if (errno != EINTR)
            return fail_sys(err, -errno, "cannot wait for the stream");
    for (size_t i = 0; i < SOURCE_COUNT; i++)
        ready[i] = poll_fds[i].revents;
    if (has_buffered)
        ready[FROM_REPLY] = POLLIN;
    return 0;
}

/* 1: go on, 0: the end, -1 */
static int read_output(struct stream *stream, struct buf *in, struct error *err)
{
    char *room = buf_reserve(in, PIECE_BYTES);
    ssize_t count = reply_read(stream->reply, room, PIECE_BYTES, err);

    if (count <= 0)
        return (int)count;
    in->size += (size_t)count;
    if (!stream->is_raw)
        return write_frames(stream, in, err);
    if (stream->write(stream, STREAM_STDOUT, in->data, in->size, err) < 0)
        return -1;
    buf_clear(in);
    return 1;
}

/* Writes the frames that are whole, takes them off 'in'. */
static int write_frames(struct stream *stream, struct buf *in, struct error *err)
{
    size_t at = 0;

    while (in->size - at >= FRAME_HEAD) {
        const unsigned char *head = (const unsigned char *)in->data + at;
        size_t size =
            (size_t)head[4] << 24 | (size_t)head[5] << 16 | (size_t)head[6] << 8 | head[7];
        if (head[0] > STREAM_STDERR || head[1] != 0 || head[2] != 0 || head[3] != 0 ||
            size > FRAME_MAX)
            return fail(err, ERR_SYSTEM, "the stream has no frames");
        if (in->size - at - FRAME_HEAD < size)
            break;
        enum stream_channel channel = head[0] == STREAM_STDERR ? STREAM_STDERR : STREAM_STDOUT;
        if (stream->write(stream, channel, head + FRAME_HEAD, size, err) < 0)
            return -1;
        at += FRAME_HEAD + size;
    }
    buf_consume(in, at);
    return 1;
}

/* A container that does not read any more is no failure: its output tells. */
static void pass_stdin(struct stream *stream)
{
    char piece[PIECE_BYTES / 4];
    ssize_t count = sys_read(STDIN_FILENO, piece, sizeof(piece));

    if (count > 0 && sys_write_all(stream->reply->fd, piece, (size_t)count) == 0)
        return;
    (void)shutdown(stream->reply->fd, SHUT_WR); /* the other side may be gone already */
    stream->has_stdin = false;
}

static void pass_signal(struct stream *stream)
{
    struct signalfd_siginfo info;

    if (sys_read(stream->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        stream->signal(stream, (int)info.ssi_signo);
}
