/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that turn into pipes: both of Docker's forms, early bytes, half-closes, losses. */
#include <stdatomic.h>

#include "lib/http.h"

#define UPGRADE                                                                   \
    "POST /attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n" \
    "Content-Length: 0\r\n\r\n"
#define LATER "POST /later HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
#define MUCH  ((size_t)4 << 20)

static int peer_of_call = -1; /* the far end of what /attach hijacks with */
static _Atomic int64_t token;
static _Atomic bool has_answered;

static void serve(struct http_call *call, void *worker, void *context)
{
    struct error err = { 0 };
    int ends[2];
    char *body;
    size_t size;

    (void)worker;
    (void)context;
    if (strcmp(http_path(call), "/unread") != 0)
        CHECK_OK(http_body(call, 1000, &body, &size, &err), &err);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    peer_of_call = ends[0];
    if (strcmp(http_path(call), "/later") == 0) {
        sys_close_fd(&ends[1]);
        token = http_hijack_later(call, "application/vnd.docker.raw-stream", &err);
        CHECK(token > 0);
    } else if (http_hijack(call, "application/vnd.docker.raw-stream", ends[1], &err) < 0) {
        (void)http_reply(call, 400, "text/plain", err.message, strlen(err.message), &err);
    }
    has_answered = true;
}

static const struct http_server_spec spec = { .worker_count = 1, .limits = { .linger_ms = 300 } };

/* Connects, sends, and waits until the head of the answer is there. */
static int attach(struct site *site, const char *request, struct buf *got)
{
    site_open(site, &spec, serve, NULL);
    has_answered = false;
    int fd = site_connect(site);
    client_send(fd, request);
    client_expect(fd, got, "\r\n\r\n");
    while (!has_answered)
        (void)poll(NULL, 0, 1);
    return fd;
}

static void detach(struct site *site, int fd)
{
    sys_close_fd(&fd);
    site_close(site);
    sys_close_fd(&peer_of_call);
}

TEST(a_hijack_with_upgrade_answers_101_and_pipes_both_ways)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    cleanup_buf struct buf heard = { 0 };
    int fd = attach(&site, UPGRADE, &got);

    CHECK(strstr(got.data, "HTTP/1.1 101 UPGRADED\r\n") == got.data);
    CHECK(strstr(got.data, "\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n") != NULL);
    CHECK(strstr(got.data, "\r\nContent-Type: application/vnd.docker.raw-stream\r\n") != NULL);
    client_send(fd, "to the peer");
    client_expect(peer_of_call, &heard, "to the peer");
    client_send(peer_of_call, "to the client");
    client_expect(fd, &got, "to the client");
    detach(&site, fd);
}

TEST(a_hijack_without_upgrade_answers_200_with_bytes_until_close)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    cleanup_buf struct buf heard = { 0 };
    int fd =
        attach(&site, "POST /exec HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}stdin", &got);

    CHECK(strstr(got.data, "HTTP/1.1 200 OK\r\n") == got.data);
    CHECK(strstr(got.data, "Content-Length") == NULL);
    CHECK(strstr(got.data, "chunked") == NULL);
    CHECK(strstr(got.data, "Connection:") == NULL);
    client_expect(peer_of_call, &heard, "stdin");
    client_send(peer_of_call, "out");
    sys_close_fd(&peer_of_call);
    client_expect_end(fd, &got);
    CHECK_STR(strstr(got.data, "\r\n\r\n"), "\r\n\r\nout");
    detach(&site, fd);
}

TEST(bytes_behind_the_request_are_handed_on)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    cleanup_buf struct buf heard = { 0 };
    int fd = attach(&site, UPGRADE "early bytes", &got);

    client_expect(peer_of_call, &heard, "early bytes");
    detach(&site, fd);
}

TEST(a_half_close_is_passed_on_and_output_goes_on)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    cleanup_buf struct buf heard = { 0 };
    int fd = attach(&site, UPGRADE "last words", &got);

    CHECK_INT(shutdown(fd, SHUT_WR), 0);
    client_expect_end(peer_of_call, &heard);
    CHECK_STR(heard.data, "last words");
    (void)poll(NULL, 0, 50);
    client_send(peer_of_call, "still here");
    client_expect(fd, &got, "still here");
    sys_close_fd(&peer_of_call);
    client_expect_end(fd, &got);
    detach(&site, fd);
}

TEST(the_end_of_the_peer_ends_the_connection_also_amid_input)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    int fd = attach(&site, UPGRADE, &got);

    client_send(peer_of_call, "the end");
    sys_close_fd(&peer_of_call);
    client_expect(fd, &got, "the end");
    ssize_t rc = sys_write(fd, "unwanted", 8); /* must not turn the end into a reset */
    (void)rc;
    client_expect_end(fd, &got);
    detach(&site, fd);
}

TEST(the_loss_of_the_client_closes_the_peer)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    cleanup_buf struct buf heard = { 0 };
    int fd = attach(&site, UPGRADE, &got);

    CHECK_INT(shutdown(fd, SHUT_WR), 0); /* as docker run without input */
    client_expect_end(peer_of_call, &heard);
    sys_close_fd(&fd);
    int64_t began_ms = clock_mono_ms();
    while (send(peer_of_call, "x", 1, MSG_NOSIGNAL) == 1 && clock_mono_ms() - began_ms < 5000)
        (void)poll(NULL, 0, 1);
    CHECK(clock_mono_ms() - began_ms < 1000);
    detach(&site, fd);
}

TEST(what_a_lost_client_sent_is_still_delivered)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    cleanup_buf struct buf heard = { 0 };
    int fd = attach(&site, UPGRADE, &got);

    client_send(fd, "farewell");
    sys_close_fd(&fd);
    client_expect_end(peer_of_call, &heard);
    CHECK_STR(heard.data, "farewell");
    detach(&site, fd);
}

/* Writes without a reader until nothing more is taken. */
static size_t fill(int fd)
{
    static char data[1 << 16];
    struct pollfd wanted = { .fd = fd, .events = POLLOUT };
    size_t total = 0;

    memset(data, 'x', sizeof(data));
    while (total < MUCH && poll(&wanted, 1, 200) == 1) {
        ssize_t sent = send(fd, data, sizeof(data), MSG_DONTWAIT | MSG_NOSIGNAL);
        total += sent > 0 ? (size_t)sent : 0;
    }
    return total;
}

static size_t drain(int fd, size_t wanted)
{
    size_t total = 0;

    while (total < wanted) {
        cleanup_buf struct buf got = { 0 };
        CHECK(client_read(fd, &got, SITE_PATIENCE_MS) > 0);
        total += got.size;
    }
    return total;
}

TEST(a_side_that_does_not_read_stops_the_other_and_nothing_is_lost)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    int fd = attach(&site, UPGRADE, &got);

    size_t in = fill(fd);
    size_t out = fill(peer_of_call);
    CHECK(in < MUCH && out < MUCH);
    CHECK(drain(peer_of_call, in) == in);
    CHECK(drain(fd, out) == out);
    detach(&site, fd);
}

TEST(a_lost_client_with_unread_output_does_not_hold_the_peer)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    int fd = attach(&site, UPGRADE, &got);

    (void)fill(peer_of_call);
    sys_close_fd(&fd);
    int64_t began_ms = clock_mono_ms();
    cleanup_buf struct buf heard = { 0 };
    client_expect_end(peer_of_call, &heard);
    CHECK(clock_mono_ms() - began_ms < 2000);
    detach(&site, fd);
}

TEST(a_request_body_must_be_read_before_a_hijack)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    int fd =
        attach(&site, "POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n{", &got);

    client_expect(fd, &got, "HTTP/1.1 400 ");
    detach(&site, fd);
}

TEST(a_hijack_for_later_answers_now_and_connects_then)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    cleanup_buf struct buf heard = { 0 };
    int fd = attach(&site, LATER "early", &got);
    int ends[2];

    CHECK(strstr(got.data, "HTTP/1.1 101 UPGRADED\r\n") == got.data);
    client_send(fd, " words");
    CHECK_INT((int)client_read(fd, &got, 50), -1);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    http_hijack_connect(site.server, token, ends[1]);
    client_expect(ends[0], &heard, "early words");
    client_send(ends[0], "answer");
    client_expect(fd, &got, "answer");
    sys_close_fd(&ends[0]);
    client_expect_end(fd, &got);
    detach(&site, fd);
}

TEST(a_token_is_good_for_one_peer_and_none_of_a_lost_client)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    cleanup_buf struct buf heard = { 0 };
    int fd = attach(&site, LATER, &got);
    int first[2];
    int second[2];

    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, first), 0);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, second), 0);
    sys_close_fd(&fd);
    (void)poll(NULL, 0, 100); /* until the loss has been noticed */
    http_hijack_connect(site.server, token, first[1]);
    client_expect_end(first[0], &heard);
    http_hijack_connect(site.server, token + 1, second[1]);
    client_expect_end(second[0], &heard);
    sys_close_fd(&first[0]);
    sys_close_fd(&second[0]);
    detach(&site, fd);
}

TEST(a_token_without_a_peer_ends_the_connection)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    int fd = attach(&site, LATER, &got);

    http_hijack_connect(site.server, token, -1);
    client_expect_end(fd, &got);
    detach(&site, fd);
}

TEST(stopping_ends_hijacked_and_waiting_connections)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    int fd = attach(&site, LATER, &got);
    cleanup_fd int piped = site_connect(&site);

    client_send(piped, UPGRADE);
    client_expect(piped, &got, "\r\n\r\nHTTP/1.1 101 UPGRADED\r\n");
    while (strstr(got.data, "101") == NULL)
        (void)poll(NULL, 0, 1);
    http_server_stop(site.server, 100);
    client_expect_end(piped, &got);
    client_expect_end(fd, &got);
    client_expect_end(peer_of_call, &got);
    detach(&site, fd);
}
