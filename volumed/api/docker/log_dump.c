/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log written to a hijacked connection.  A hijack wants a descriptor to pump from, and a log is
 * none: a short-lived thread writes it into a socket.  Only old clients ask for this.
 */
#include "api/docker/log_dump.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "api/docker/hijack.h"
#include "api/docker/query.h"
#include "base/sys.h"
#include "base/thread.h"
#include "core/container/container_io.h"

#define DUMP_PATIENCE_S 30 /* for a client that does not read */

struct dump {
    struct log_reader *reader;
    int fd;
};

static int dump_start(struct log_reader *reader, int fd, struct error *err);
static void *dump_run(void *argument);
static int dump_pair(int fds[2], struct error *err);
static int send_all(int fd, const struct buf *data);

int docker_log_dump(struct call *call, struct error *err)
{
    struct log_spec spec = {
        .has_stdout = query_flag(call, "stdout"),
        .has_stderr = query_flag(call, "stderr"),
        .tail = query_flag(call, "logs") ? -1 : 0,
    };
    struct log_reader *reader;
    struct hijack hijack;
    int fds[2];

    if (log_open(call->task, call->args[0], &spec, &reader, err) < 0)
        return -1;
    if (dump_pair(fds, err) < 0) {
        log_close(reader);
        return -1;
    }
    cleanup_fd int peer_fd = fds[0];
    bool is_raw = log_is_raw(reader);
    if (hijack_begin(call, is_raw, &hijack, err) < 0) {
        log_close(reader);
        sys_close_fd(&fds[1]);
        return -1;
    }
    if (dump_start(reader, fds[1], err) < 0)
        hijack_tell(&hijack, err->message);
    else
        hijack_connect(&hijack, move_fd(&peer_fd));
    return 0;
}

/* Takes both over. */
static int dump_start(struct log_reader *reader, int fd, struct error *err)
{
    struct dump *dump = mem_alloc(sizeof(*dump));
    pthread_t thread;

    *dump = (struct dump){ reader, fd };
    if (thread_start(&thread, "log-dump", dump_run, dump, err) < 0) {
        log_close(reader);
        sys_close_fd(&fd);
        free(dump);
        return -1;
    }
    (void)pthread_detach(thread); /* it ends by itself: its client reads, leaves or is too slow */
    return 0;
}

static void *dump_run(void *argument)
{
    struct dump *dump = argument;
    cleanup_buf struct buf piece = { 0 };
    int more = 1;

    while (more == 1) { /* 0 is to wait for more, which is the end here */
        buf_clear(&piece);
        more = log_read(dump->reader, &piece);
        if (send_all(dump->fd, &piece) < 0)
            more = -1;
    }
    log_close(dump->reader);
    sys_close_fd(&dump->fd);
    free(dump);
    return NULL;
}

static int dump_pair(int fds[2], struct error *err)
{
    static const struct timeval patience = { .tv_sec = DUMP_PATIENCE_S };

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return fail_sys(err, -errno, "cannot make a pair of sockets");
    (void)setsockopt(fds[1], SOL_SOCKET, SO_SNDTIMEO, &patience,
                     sizeof(patience)); /* without it a slow client holds a thread for longer */
    return 0;
}

static int send_all(int fd, const struct buf *data)
{
    for (size_t sent = 0; sent < data->size;) {
        ssize_t size = send(fd, data->data + sent, data->size - sent, MSG_NOSIGNAL);
        if (size <= 0)
            return -1;
        sent += (size_t)size;
    }
    return 0;
}
