/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /containers/x/attach: the connection becomes the container's standard streams, now or when
 * it starts.
 */
#include <stdlib.h>

#include "api/docker/handlers.h"
#include "api/docker/log_dump.h"
#include "api/docker/query.h"
#include "api/docker/stream_type.h"
#include "base/log.h"
#include "core/container_io.h"

/* Where a container's streams go once there are any. */
struct later {
    struct http_server *server;
    int64_t token;
};

static void attach_spec_read(const struct call *call, struct attach_spec *spec);
static void later_connect(void *context, int fd);

/* The client is answered before core attaches, so that no start in between can be missed. */
int docker_container_attach(struct call *call, struct error *err)
{
    struct attach_spec spec;
    bool is_later;
    bool is_terminal;
    int fd;

    if (!query_flag(call, "stream"))
        return docker_log_dump(call, err);
    attach_spec_read(call, &spec);
    if (container_attach_prepare(call->task, call->args[0], &is_later, &is_terminal, err) < 0)
        return -1;
    int64_t token = http_hijack_later(call->http, hijack_type(call, is_terminal), err);
    if (token < 0)
        return -1;
    struct later *later = mem_alloc(sizeof(*later));
    *later = (struct later){ http_server_of(call->http), token };
    struct attach_later callback = { later_connect, later };
    if (container_attach(call->task, call->args[0], &spec, &fd, &callback, err) < 0) {
        log_warn("cannot attach container=%s error=\"%s\"", call->args[0], err->message);
        later_connect(later, -1);
        return 0; /* the client was answered; all that is left is to hang up */
    }
    if (fd >= 0)
        later_connect(later, fd);
    return 0;
}

static void attach_spec_read(const struct call *call, struct attach_spec *spec)
{
    *spec = (struct attach_spec){
        .has_stdin = query_flag(call, "stdin"),
        .has_stdout = query_flag(call, "stdout"),
        .has_stderr = query_flag(call, "stderr"),
        .has_logs = query_flag(call, "logs"),
    };
}

static void later_connect(void *context, int fd)
{
    struct later *later = context;

    http_hijack_connect(later->server, later->token, fd);
    free(later);
}
