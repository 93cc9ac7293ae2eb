/* SPDX-License-Identifier: Apache-2.0 */
/* Accepting, and pausing when there are too many connections or no descriptors. */
#include "http/listener.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "base/thread.h"
#include "http/connection.h"
#include "http/socket.h"

#define ACCEPTS_A_TURN 64
#define PAUSE_MS       100

static void listener_ready(struct watch *watch, uint32_t events);
static void listener_pause(struct listener *listener);

int http_server_listen(struct http_server *server, int listen_fd, http_handler_fn handler,
                       void *context, struct error *err)
{
    struct listener *listener = mem_alloc(sizeof(*listener));
    int rc = socket_set_nonblocking(listen_fd);

    *listener = (struct listener){
        .watch = { .fd = listen_fd, .ready = listener_ready },
        .server = server,
        .handler = handler,
        .context = context,
    };
    list_init(&listener->link);
    if (rc < 0) {
        listener_free(listener);
        return fail_sys(err, rc, "cannot listen");
    }
    (void)pthread_mutex_lock(&server->lock); /* fails only on misuse */
    list_append(&server->arriving, &listener->link);
    (void)pthread_mutex_unlock(&server->lock);
    server_wake(server);
    return 0;
}

void listener_resume(struct listener *listener)
{
    listener->is_paused = false;
    int rc = loop_arm(&listener->server->loop, &listener->watch, EPOLLIN);
    if (rc < 0) {
        log_error("cannot watch a listening socket fd=%d errno=%d", listener->watch.fd, -rc);
        listener_pause(listener);
    }
}

void listener_close(struct listener *listener)
{
    listener->is_paused = false;
    loop_drop(&listener->server->loop, &listener->watch);
    sys_close_fd(&listener->watch.fd);
}

void listener_free(struct listener *listener)
{
    listener_close(listener);
    list_remove(&listener->link);
    free(listener);
}

static void listener_ready(struct watch *watch, uint32_t events)
{
    struct listener *listener = container_of(watch, struct listener, watch);
    struct http_server *server = listener->server;

    (void)events; /* only one is waited for */
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        if (server->connection_count >= server->limits.connections) {
            listener_pause(listener);
            return;
        }
        int fd = socket_accept(watch->fd);
        if (fd == -EAGAIN)
            break;
        if (fd == -ECONNABORTED) /* that one client went away */
            continue;
        if (fd < 0) {
            if (!listener->is_starved)
                log_warn("cannot accept errno=%d retry_ms=%d", -fd, PAUSE_MS);
            listener->is_starved = true;
            listener_pause(listener);
            return;
        }
        listener->is_starved = false;
        connection_open(listener, fd);
    }
    listener_resume(listener);
}

/* The sweep resumes it. */
static void listener_pause(struct listener *listener)
{
    listener->is_paused = true;
    server_sweep_by(listener->server, clock_mono_ms() + PAUSE_MS);
}
