/* SPDX-License-Identifier: Apache-2.0 */
/* The Docker door over a real socket, beside the native door of lib/native.h on one service. */
#ifndef LIB_DOCKER_H
#define LIB_DOCKER_H

#include "api/docker/docker.h"
#include "lib/native.h"

struct docker {
    struct native native;
    struct site site;
};

static inline void docker_open(struct docker *docker)
{
    static const struct http_worker_ops ops = { .start = native_worker_start,
                                                .stop = native_worker_stop };

    native_open(&docker->native);
    const struct http_server_spec server = { .worker_count = 2,
                                             .worker_ops = &ops,
                                             .worker_context = &docker->native.service };
    site_open(&docker->site, &server, docker_serve, NULL);
}

static inline void docker_close(struct docker *docker)
{
    site_close(&docker->site);
    native_close(&docker->native);
}

/* The whole answer, head and body.  'body' (JSON) may be NULL. */
static inline void docker_talk(struct docker *docker, const char *request_line, const char *body,
                               struct buf *got)
{
    cleanup_buf struct buf request = { 0 };

    buf_printf(&request, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", request_line);
    if (body != NULL)
        buf_printf(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                   strlen(body));
    buf_printf(&request, "\r\n%s", body != NULL ? body : "");
    client_talk(&docker->site, request.data, got);
}

static inline int docker_status(const struct buf *answer)
{
    return (int)strtol(answer->data + strlen("HTTP/1.1 "), NULL, 10);
}

/* The answer's JSON, which must have that status. */
static inline json_t *docker_ask(struct docker *docker, const char *request_line, const char *body,
                                 int expected_status)
{
    cleanup_buf struct buf got = { 0 };
    struct error err = { 0 };

    docker_talk(docker, request_line, body, &got);
    ck_assert_msg(docker_status(&got) == expected_status, "%s: %s", request_line, got.data);
    const char *text = strstr(got.data, "\r\n\r\n") + 4;
    json_t *answer = json_read(text, strlen(text), &err);
    ck_assert_msg(answer != NULL, "%s: %s", request_line, got.data);
    return answer;
}

static inline void docker_do(struct docker *docker, const char *request_line, const char *body,
                             int expected_status)
{
    cleanup_buf struct buf got = { 0 };

    docker_talk(docker, request_line, body, &got);
    ck_assert_msg(docker_status(&got) == expected_status, "%s: %s", request_line, got.data);
}

/* The request must fail with this status and exactly this message. */
static inline void docker_refuse(struct docker *docker, const char *request_line, const char *body,
                                 int status, const char *message)
{
    cleanup_json json_t *answer = docker_ask(docker, request_line, body, status);

    CHECK_STR(text_of(answer, "message"), message);
}

#endif
