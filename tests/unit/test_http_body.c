/* SPDX-License-Identifier: Apache-2.0 */
/* Requests with bodies, and requests behind one another on a connection, over real sockets. */
#include "lib/http.h"

#define LARGE_SIZE ((size_t)3 << 20)

static void serve_echo(struct http_call *call)
{
    struct error err;
    char *data;
    size_t size;

    if (http_body(call, LARGE_SIZE, &data, &size, &err) == 0)
        (void)http_reply(call, 200, "text/plain", data, size, &err);
    else
        (void)http_reply(call, 400, "text/plain", err.message, strlen(err.message), &err);
}

/* Counts the body in small reads. */
static void serve_count(struct http_call *call)
{
    struct error err;
    char data[4096];
    size_t total = 0;
    ssize_t got;

    while ((got = http_body_read(call, data, sizeof(data), &err)) > 0)
        total += (size_t)got;
    char *text = arena_printf(http_mem(call), "%zu %s", total, got < 0 ? err.message : "whole");
    (void)http_reply(call, 200, "text/plain", text, strlen(text), &err);
}

/* Answers without a look at the body. */
static void serve_ignore(struct http_call *call)
{
    struct error err;

    (void)http_reply(call, 200, "text/plain", http_path(call), strlen(http_path(call)), &err);
}

static void serve(struct http_call *call, void *worker, void *context)
{
    (void)worker;
    (void)context;
    if (strcmp(http_path(call), "/echo") == 0)
        serve_echo(call);
    else if (strcmp(http_path(call), "/count") == 0)
        serve_count(call);
    else
        serve_ignore(call);
}

static void open_site(struct site *site)
{
    static const struct http_server_spec spec = { .worker_count = 2 };

    site_open(site, &spec, serve, NULL);
}

TEST(connections_are_kept_and_pipelined_requests_answered_in_order)
{
    static const char requests[] =
        "GET /first HTTP/1.1\r\nHost: x\r\n\r\n"
        "GET /count HTTP/1.1\r\nHost: x\r\n\r\n"
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc\r\n"
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "2\r\nde\r\n0\r\n\r\n"
        "GET /last HTTP/1.1\r\nHost: x\r\n\r\n";
    struct site site;
    cleanup_buf struct buf got = { 0 };

    open_site(&site);
    cleanup_fd int fd = site_connect(&site);
    client_send(fd, requests);
    client_expect(fd, &got, "\r\n\r\n/last");
    const char *first = strstr(got.data, "\r\n\r\n/first");
    const char *none = strstr(got.data, "\r\n\r\n0 whole");
    const char *sized = strstr(got.data, "\r\n\r\nabc");
    const char *chunked = strstr(got.data, "\r\n\r\nde");
    CHECK(first != NULL && first < none && none < sized && sized < chunked);
    CHECK(strstr(got.data, "Connection: close") == NULL);
    site_close(&site);
}

TEST(requests_may_come_byte_by_byte)
{
    static const char text[] =
        "\r\nPOST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        "Connection: close\r\n\r\n3\r\nabc\r\n0\r\nT: v\r\n\r\n";
    struct site site;
    cleanup_buf struct buf got = { 0 };

    open_site(&site);
    cleanup_fd int fd = site_connect(&site);
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        CHECK_INT(sys_write_all(fd, text + i, 1), 0);
    client_expect_end(fd, &got);
    CHECK_STR(strstr(got.data, "\r\n\r\n"), "\r\n\r\nabc");
    site_close(&site);
}

TEST(expected_100_continue_is_sent_when_the_body_is_wanted)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };

    open_site(&site);
    cleanup_fd int fd = site_connect(&site);
    client_send(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                    "Content-Length: 4\r\n\r\n");
    client_expect(fd, &got, "HTTP/1.1 100 Continue\r\n\r\n");
    client_send(fd, "body");
    client_expect(fd, &got, "\r\n\r\nbody");
    buf_clear(&got);
    client_send(fd, "POST /ignore HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                    "Content-Length: 4\r\n\r\n");
    client_expect_end(fd, &got);
    CHECK(strstr(got.data, "100 Continue") == NULL);
    CHECK(strstr(got.data, "Connection: close\r\n") != NULL);
    site_close(&site);
}

static void send_large(int fd, bool is_chunked)
{
    static char data[1 << 16];
    char head[200];

    memset(data, 'x', sizeof(data));
    (void)snprintf(head, sizeof(head),
                   "POST /count HTTP/1.1\r\nHost: x\r\n%s: %s\r\nConnection: close\r\n\r\n",
                   is_chunked ? "Transfer-Encoding" : "Content-Length",
                   is_chunked ? "chunked" : "3145728");
    client_send(fd, head);
    for (size_t sent = 0; sent < LARGE_SIZE; sent += sizeof(data)) {
        if (is_chunked)
            client_send(fd, "10000\r\n");
        CHECK_INT(sys_write_all(fd, data, sizeof(data)), 0);
        if (is_chunked)
            client_send(fd, "\r\n");
    }
    if (is_chunked)
        client_send(fd, "0\r\n\r\n");
}

TEST(large_bodies_are_read_as_they_come)
{
    struct site site;

    open_site(&site);
    for (int is_chunked = 0; is_chunked <= 1; is_chunked++) {
        cleanup_buf struct buf got = { 0 };
        cleanup_fd int fd = site_connect(&site);
        send_large(fd, is_chunked != 0);
        client_expect_end(fd, &got);
        CHECK_STR(strstr(got.data, "\r\n\r\n"), "\r\n\r\n3145728 whole");
    }
    site_close(&site);
}

TEST(bodies_over_the_handlers_limit_are_refused)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };

    open_site(&site);
    client_talk(&site, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nabc",
                &got);
    CHECK(strstr(got.data, "request body is larger than 3145728 bytes") != NULL);
    CHECK(strstr(got.data, "Connection: close\r\n") != NULL);
    site_close(&site);
}

TEST(a_body_that_breaks_off_is_the_handlers_to_know)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };

    open_site(&site);
    cleanup_fd int fd = site_connect(&site);
    client_send(fd, "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc");
    CHECK_INT(shutdown(fd, SHUT_WR), 0);
    client_expect_end(fd, &got);
    CHECK_STR(strstr(got.data, "\r\n\r\n"),
              "\r\n\r\n3 client closed before the end of the request body");
    site_close(&site);
}
