/* SPDX-License-Identifier: Apache-2.0 */
/* The two steps of a hijack, and the framing of a last message.  Pumping bytes is http's. */
#include "api/docker/hijack.h"

#include <string.h>
#include <sys/socket.h>

#include "api/docker/stream_type.h"
#include "base/sys.h"

#define FRAME_HEAD_SIZE 8
#define FRAME_STDOUT    1

static void text_append(struct buf *out, const char *text, bool is_raw);

int hijack_begin(struct call *call, bool is_raw, struct hijack *hijack, struct error *err)
{
    bool is_upgrade = http_header(call->http, "Upgrade") != NULL;
    /* Without an upgrade it is raw-stream always, as older clients know it. */
    int64_t token = http_hijack_later(call->http, stream_type(call, is_raw || !is_upgrade), err);

    if (token < 0)
        return -1;
    *hijack = (struct hijack){ http_server_of(call->http), token, is_raw };
    return 0;
}

void hijack_connect(const struct hijack *hijack, int fd)
{
    http_hijack_connect(hijack->server, hijack->token, fd);
}

void hijack_tell(const struct hijack *hijack, const char *text)
{
    cleanup_buf struct buf out = { 0 };
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        hijack_connect(hijack, -1);
        return;
    }
    text_append(&out, text, hijack->is_raw);
    (void)sys_write_all(fds[1], out.data, out.size); /* fits any socket's buffer */
    sys_close_fd(&fds[1]);
    hijack_connect(hijack, fds[0]);
}

static void text_append(struct buf *out, const char *text, bool is_raw)
{
    size_t size = strlen(text) + 2; /* errors are shorter than 64 KiB */
    const char head[FRAME_HEAD_SIZE] = {
        FRAME_STDOUT, 0, 0, 0, 0, 0, (char)(size >> 8), (char)size
    };

    if (!is_raw)
        buf_append(out, head, sizeof(head));
    buf_printf(out, "%s\r\n", text);
}
