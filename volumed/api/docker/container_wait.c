/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /containers/x/wait.  The status line and headers leave at once, since clients start the
 * container only when they have seen them; the body follows when the container has ended.
 */
#include <stdlib.h>

#include "api/docker/handlers.h"
#include "api/docker/query.h"
#include "core/container/container_io.h"

struct wait_stream {
    struct http_stream stream;
    struct wait *wait;
};

static int wait_produce(struct http_stream *stream, void *worker, struct buf *out);
static void wait_release(struct http_stream *stream);
static json_t *exit_json(int64_t exit_code, const char *message);

int docker_container_wait(struct call *call, struct error *err)
{
    const char *condition = query_text(call, "condition");
    struct wait *wait;

    if (container_wait(call->task, call->args[0], condition != NULL ? condition : "not-running",
                       &wait, err) < 0)
        return -1;
    struct wait_stream *own = mem_alloc(sizeof(*own));
    *own = (struct wait_stream){
        .stream = { .wait_fd = wait_fd(wait), .produce = wait_produce, .release = wait_release },
        .wait = wait,
    };
    return http_reply_stream(call->http, 200, "application/json", &own->stream, err);
}

static int wait_produce(struct http_stream *stream, void *worker, struct buf *out)
{
    struct wait_stream *own = container_of(stream, struct wait_stream, stream);
    const char *message = NULL;
    int64_t exit_code;

    (void)worker;
    if (!wait_is_over(own->wait, &exit_code, &message))
        return 0;
    cleanup_json json_t *json = exit_json(exit_code, message);
    json_append(out, json);
    buf_text(out, "\n");
    return -1;
}

static void wait_release(struct http_stream *stream)
{
    struct wait_stream *own = container_of(stream, struct wait_stream, stream);

    wait_free(own->wait);
    free(own);
}

static json_t *exit_json(int64_t exit_code, const char *message)
{
    json_t *json = json_object();

    json_set(json, "StatusCode", json_integer(exit_code));
    if (message != NULL && *message != '\0')
        json_set(json, "Error", json_pack("{s:o}", "Message", json_text(message)));
    return json;
}
