/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /containers/x/attach: the connection becomes the container's standard streams, now or when
 * it starts.
 */
#include <stdlib.h>

#include "api/docker/handlers.h"
#include "api/docker/hijack.h"
#include "api/docker/log_dump.h"
#include "api/docker/query.h"
#include "core/container/container_io.h"

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
    struct hijack *hijack = mem_alloc(sizeof(*hijack));
    if (hijack_begin(call, is_terminal, hijack, err) < 0) {
        free(hijack);
        return -1;
    }
    struct attach_later later = { later_connect, hijack };
    if (container_attach(call->task, call->args[0], &spec, &fd, &later, err) < 0) {
        hijack_tell(hijack, err->message);
        free(hijack);
        return 0; /* the client was answered */
    }
    if (fd >= 0)
        later_connect(hijack, fd);
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

/* The hijack is the container's from the attach on, and ends with its one connect. */
static void later_connect(void *context, int fd)
{
    hijack_connect(context, fd);
    free(context);
}
