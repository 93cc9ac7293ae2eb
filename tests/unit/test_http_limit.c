/* SPDX-License-Identifier: Apache-2.0 */
/* What a client can hold, and for how long. */
#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "lib/http.h"

#define IDLE_COUNT       500
#define IDLE_BYTES_MAX   2048
#define SHORT_MS         ((int64_t)150)
#define CONNECTIONS_FEW  3
#define DESCRIPTORS_LEFT 2

static void serve(struct http_call *call, void *worker, void *context)
{
    struct error err = { 0 };
    char *data;
    size_t size;

    (void)worker;
    (void)context;
    if (http_body(call, (size_t)1 << 20, &data, &size, &err) < 0)
        (void)http_reply(call, 400, "text/plain", err.message, strlen(err.message), &err);
    else
        (void)http_reply(call, 200, "text/plain", "fine", 4, &err);
}

static const struct http_server_spec strict = {
    .worker_count = 1,
    .limits = { .head_ms = SHORT_MS,
                .idle_ms = 2 * SHORT_MS,
                .stall_ms = SHORT_MS,
                .linger_ms = SHORT_MS },
};

TEST(a_head_that_does_not_end_is_refused_however_slowly_it_comes)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    int64_t began_ms = clock_mono_ms();

    site_open(&site, &strict, serve, NULL);
    cleanup_fd int fd = site_connect(&site);
    client_send(fd, "GET / HTTP/1.1\r\n");
    while (client_read(fd, &got, 20) < 0 && clock_mono_ms() - began_ms < 5000)
        (void)send(fd, "a", 1, MSG_NOSIGNAL);
    client_expect_end(fd, &got);
    CHECK(strstr(got.data, "HTTP/1.1 408 Request Timeout\r\n") == got.data);
    CHECK(clock_mono_ms() - began_ms < 5000);
    site_close(&site);
}

TEST(an_idle_connection_is_closed_without_a_word)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };

    site_open(&site, &strict, serve, NULL);
    cleanup_fd int fresh = site_connect(&site);
    cleanup_fd int used = site_connect(&site);
    client_send(used, SITE_GET("/"));
    client_expect(used, &got, "fine");
    buf_clear(&got);
    client_expect_end(fresh, &got);
    client_expect_end(used, &got);
    CHECK_INT((int)got.size, 0);
    site_close(&site);
}

TEST(a_body_that_does_not_come_is_refused)
{
    struct site site;

    site_open(&site, &strict, serve, NULL);
    cleanup_buf struct buf small = { 0 };
    client_talk(&site, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", &small);
    CHECK(strstr(small.data, "HTTP/1.1 408 Request Timeout\r\n") == small.data);
    cleanup_buf struct buf large = { 0 };
    client_talk(&site, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc", &large);
    CHECK(strstr(large.data, "cannot read the request body") != NULL);
    site_close(&site);
}

TEST(a_client_that_never_closes_is_closed_for_it)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };

    site_open(&site, &strict, serve, NULL);
    cleanup_fd int fd = site_connect(&site);
    client_send(fd, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    client_expect_end(fd, &got);
    struct pollfd wanted = { .fd = fd, .events = 0 };
    CHECK_INT(poll(&wanted, 1, SITE_PATIENCE_MS), 1);
    CHECK((wanted.revents & POLLHUP) != 0);
    site_close(&site);
}

TEST(connections_over_the_limit_wait_their_turn)
{
    static const struct http_server_spec few = { .worker_count = 1,
                                                 .limits = { .connections = CONNECTIONS_FEW } };
    struct site site;
    int fds[CONNECTIONS_FEW];
    cleanup_buf struct buf got = { 0 };

    site_open(&site, &few, serve, NULL);
    for (int i = 0; i < CONNECTIONS_FEW; i++) {
        cleanup_buf struct buf answer = { 0 };
        fds[i] = site_connect(&site);
        client_send(fds[i], SITE_GET("/"));
        client_expect(fds[i], &answer, "fine");
    }
    cleanup_fd int late = site_connect(&site);
    client_send(late, SITE_GET("/"));
    CHECK_INT((int)client_read(late, &got, 300), -1);
    sys_close_fd(&fds[0]);
    client_expect(late, &got, "fine");
    for (int i = 1; i < CONNECTIONS_FEW; i++)
        sys_close_fd(&fds[i]);
    site_close(&site);
}

TEST(running_out_of_descriptors_is_survived)
{
    static const struct http_server_spec spec = { .worker_count = 1 };
    struct site site;
    struct rlimit old;
    int fds[DESCRIPTORS_LEFT + 4];
    cleanup_buf struct buf got = { 0 };

    site_open(&site, &spec, serve, NULL);
    CHECK_INT(getrlimit(RLIMIT_NOFILE, &old), 0);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(fds[i] >= 0);
    }
    struct rlimit tight = { (rlim_t)fds[ARRAY_SIZE(fds) - 1] + 1 + DESCRIPTORS_LEFT, old.rlim_max };
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &tight), 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", site.directory);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        CHECK_INT(connect(fds[i], (const struct sockaddr *)&address, sizeof(address)), 0);
    (void)poll(NULL, 0, 300);
    client_send(fds[ARRAY_SIZE(fds) - 1], SITE_GET("/"));
    CHECK_INT((int)client_read(fds[ARRAY_SIZE(fds) - 1], &got, 200), -1);
    for (size_t i = 0; i < 4; i++)
        sys_close_fd(&fds[i]);
    client_expect(fds[ARRAY_SIZE(fds) - 1], &got, "fine");
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &old), 0);
    for (size_t i = 4; i < ARRAY_SIZE(fds); i++)
        sys_close_fd(&fds[i]);
    site_close(&site);
}

TEST(an_idle_connection_holds_less_than_two_kilobytes)
{
    static const struct http_server_spec spec = { .worker_count = 1 };
    struct site site;
    int fds[IDLE_COUNT];

    (void)mallopt(M_ARENA_MAX, 1); /* mallinfo2() tells of the first one; sanitizers have none */
    site_open(&site, &spec, serve, NULL);
    size_t before = 0;
    for (int i = 0; i < IDLE_COUNT; i++) {
        cleanup_buf struct buf got = { 0 };
        fds[i] = site_connect(&site);
        client_send(fds[i], SITE_GET("/"));
        client_expect(fds[i], &got, "fine");
        if (i == 0)
            before = mallinfo2().uordblks;
    }
    (void)poll(NULL, 0, 100);
    size_t held = mallinfo2().uordblks - before;
    ck_assert_msg(held / IDLE_COUNT < IDLE_BYTES_MAX, "%zu bytes a connection", held / IDLE_COUNT);
    for (int i = 0; i < IDLE_COUNT; i++)
        sys_close_fd(&fds[i]);
    site_close(&site);
}
