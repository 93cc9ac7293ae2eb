/* SPDX-License-Identifier: Apache-2.0 */
/* Replies that hold no worker: when they produce, when they wait, how they end. */
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "lib/http.h"

#define FOLLOWERS     200
#define REPLY_MAX_MS  100
#define FLOOD_PIECE   ((size_t)32 << 10)
#define FLOOD_PIECES  100
#define GONE_MS       50
#define PATIENCE_STEP 10

/* A follower: says "hello" at once, then "tick" each time its eventfd is rung; 'bye' ends it. */
struct follower {
    struct http_stream stream;
    bool has_begun;
    _Atomic bool is_over;
    _Atomic bool is_inside;
};

static struct follower *followers[FOLLOWERS];
static _Atomic int begun_count;
static _Atomic int released_count;
static _Atomic int produced_count;

static int follower_produce(struct http_stream *stream, void *worker, struct buf *out)
{
    struct follower *follower = container_of(stream, struct follower, stream);
    uint64_t rung;

    (void)worker;
    CHECK(!atomic_exchange(&follower->is_inside, true)); /* never twice at the same time */
    produced_count++;
    if (!follower->has_begun)
        buf_text(out, "hello ");
    else if (sys_read(stream->wait_fd, &rung, sizeof(rung)) > 0)
        buf_text(out, follower->is_over ? "bye" : "tick ");
    follower->has_begun = true;
    follower->is_inside = false;
    return follower->is_over ? -1 : 0;
}

static void follower_release(struct http_stream *stream)
{
    struct follower *follower = container_of(stream, struct follower, stream);

    CHECK(!follower->is_inside);
    sys_close_fd(&stream->wait_fd);
    free(follower);
    released_count++;
}

static void serve_follow(struct http_call *call)
{
    struct follower *follower = mem_alloc(sizeof(*follower));
    struct error err;

    follower->stream = (struct http_stream){
        .wait_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .produce = follower_produce,
        .release = follower_release,
    };
    followers[begun_count++] = follower;
    CHECK_OK(http_reply_stream(call, 200, "text/plain", &follower->stream, &err), &err);
}

static void ring(struct follower *follower)
{
    uint64_t one = 1;

    CHECK_INT(sys_write_all(follower->stream.wait_fd, &one, sizeof(one)), 0);
}

/* A flood produces without waiting. */
static _Atomic size_t flood_made;

static int flood_produce(struct http_stream *stream, void *worker, struct buf *out)
{
    (void)stream;
    (void)worker;
    memset(buf_reserve(out, FLOOD_PIECE), 'x', FLOOD_PIECE);
    out->size += FLOOD_PIECE;
    flood_made += FLOOD_PIECE;
    return flood_made < FLOOD_PIECE * FLOOD_PIECES ? 1 : -1;
}

static void flood_release(struct http_stream *stream)
{
    free(stream);
    released_count++;
}

static void serve_flood(struct http_call *call)
{
    struct http_stream *stream = mem_alloc(sizeof(*stream));
    struct error err;

    *stream = (struct http_stream){ -1, flood_produce, flood_release };
    flood_made = 0;
    CHECK_OK(http_reply_stream(call, 200, "text/plain", stream, &err), &err);
}

static void serve(struct http_call *call, void *worker, void *context)
{
    struct error err;

    (void)worker;
    (void)context;
    if (strcmp(http_path(call), "/follow") == 0)
        serve_follow(call);
    else if (strcmp(http_path(call), "/flood") == 0)
        serve_flood(call);
    else
        (void)http_reply(call, 200, "text/plain", "quick", 5, &err);
}

static const struct http_server_spec spec = { .worker_count = 2 };

static void open_site(struct site *site)
{
    begun_count = released_count = produced_count = 0;
    site_open(site, &spec, serve, NULL);
}

static void wait_for(_Atomic int *count, int wanted)
{
    for (int waited = 0; *count < wanted && waited < SITE_PATIENCE_MS; waited += PATIENCE_STEP)
        (void)poll(NULL, 0, PATIENCE_STEP);
    CHECK_INT(*count, wanted);
}

TEST(a_stream_sends_its_head_at_once_and_pieces_when_they_are_there)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };

    open_site(&site);
    cleanup_fd int fd = site_connect(&site);
    client_send(fd, SITE_GET("/follow"));
    client_expect(fd, &got, "\r\n\r\n6\r\nhello \r\n");
    CHECK(strstr(got.data, "Transfer-Encoding: chunked\r\n") != NULL);
    CHECK_INT((int)client_read(fd, &got, 100), -1);
    CHECK_INT(produced_count, 1);
    ring(followers[0]);
    client_expect(fd, &got, "5\r\ntick \r\n");
    ring(followers[0]);
    client_expect(fd, &got, "5\r\ntick \r\n5\r\ntick \r\n");
    site_close(&site);
    CHECK_INT(released_count, 1);
}

TEST(a_stream_that_ends_leaves_the_connection_for_the_next_request)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };

    open_site(&site);
    cleanup_fd int fd = site_connect(&site);
    client_send(fd, SITE_GET("/follow") SITE_GET("/quick"));
    client_expect(fd, &got, "hello ");
    followers[0]->is_over = true;
    ring(followers[0]);
    client_expect(fd, &got, "3\r\nbye\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n");
    client_expect(fd, &got, "\r\n\r\nquick");
    CHECK_INT(released_count, 1);
    site_close(&site);
}

TEST(a_stream_to_an_old_client_ends_with_the_connection)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };

    open_site(&site);
    cleanup_fd int fd = site_connect(&site);
    client_send(fd, "GET /follow HTTP/1.0\r\n\r\n");
    client_expect(fd, &got, "\r\n\r\nhello ");
    followers[0]->is_over = true;
    ring(followers[0]);
    client_expect_end(fd, &got);
    CHECK_STR(strstr(got.data, "\r\n\r\n"), "\r\n\r\nhello bye");
    site_close(&site);
}

TEST(a_stream_asked_for_by_head_is_released_at_once)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };

    open_site(&site);
    client_talk(&site, "HEAD /follow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &got);
    CHECK_STR(strstr(got.data, "\r\n\r\n"), "\r\n\r\n");
    CHECK_INT(released_count, 1);
    CHECK_INT(produced_count, 0);
    site_close(&site);
}

TEST(a_stream_is_released_soon_after_its_client_is_lost)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };

    open_site(&site);
    int fd = site_connect(&site);
    client_send(fd, SITE_GET("/follow"));
    client_expect(fd, &got, "hello ");
    sys_close_fd(&fd);
    int64_t began_ms = clock_mono_ms();
    wait_for(&released_count, 1);
    CHECK(clock_mono_ms() - began_ms < 1000);
    site_close(&site);
}

TEST(a_stream_outlives_its_clients_half_close)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };

    open_site(&site);
    cleanup_fd int fd = site_connect(&site);
    client_send(fd, SITE_GET("/follow"));
    client_expect(fd, &got, "hello ");
    CHECK_INT(shutdown(fd, SHUT_WR), 0);
    (void)poll(NULL, 0, GONE_MS);
    CHECK_INT(released_count, 0);
    ring(followers[0]);
    client_expect(fd, &got, "tick ");
    site_close(&site);
}

TEST(a_slow_reader_stops_its_stream_and_a_lost_one_ends_it)
{
    struct site site;

    open_site(&site);
    int fd = site_connect(&site);
    client_send(fd, SITE_GET("/flood"));
    (void)poll(NULL, 0, 10 * GONE_MS);
    CHECK(flood_made < FLOOD_PIECE * 40);
    sys_close_fd(&fd);
    wait_for(&released_count, 1);
    site_close(&site);
}

TEST(a_flood_arrives_whole)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    size_t payload = 0;

    open_site(&site);
    client_talk(&site, "GET /flood HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &got);
    for (size_t i = 0; i < got.size; i++)
        payload += got.data[i] == 'x' ? 1 : 0;
    CHECK(payload >= FLOOD_PIECE * FLOOD_PIECES);
    CHECK_STR(got.data + got.size - 7, "\r\n0\r\n\r\n");
    site_close(&site);
}

TEST(two_hundred_idle_streams_do_not_slow_a_request)
{
    struct site site;
    int fds[FOLLOWERS];
    cleanup_buf struct buf ticks = { 0 };

    open_site(&site);
    for (int i = 0; i < FOLLOWERS; i++) {
        cleanup_buf struct buf got = { 0 };
        fds[i] = site_connect(&site);
        client_send(fds[i], SITE_GET("/follow"));
        client_expect(fds[i], &got, "hello ");
    }
    cleanup_fd int fd = site_connect(&site);
    int64_t slowest_ms = 0;
    for (int i = 0; i < 20; i++) {
        cleanup_buf struct buf got = { 0 };
        int64_t began_ms = clock_mono_ms();
        client_send(fd, SITE_GET("/quick"));
        client_expect(fd, &got, "quick");
        int64_t took_ms = clock_mono_ms() - began_ms;
        slowest_ms = took_ms > slowest_ms ? took_ms : slowest_ms;
    }
    CHECK(slowest_ms < REPLY_MAX_MS);
    ring(followers[FOLLOWERS - 1]);
    client_expect(fds[FOLLOWERS - 1], &ticks, "tick ");
    for (int i = 0; i < FOLLOWERS; i++)
        sys_close_fd(&fds[i]);
    wait_for(&released_count, FOLLOWERS);
    site_close(&site);
}

TEST(stopping_ends_all_streams)
{
    struct site site;

    open_site(&site);
    cleanup_buf struct buf got = { 0 };
    cleanup_fd int idle = site_connect(&site);
    cleanup_fd int busy = site_connect(&site);
    client_send(idle, SITE_GET("/follow"));
    client_expect(idle, &got, "hello ");
    client_send(busy, SITE_GET("/flood"));
    (void)poll(NULL, 0, GONE_MS);
    site_close(&site);
    client_expect_end(idle, &got);
    CHECK_INT(released_count, 2);
}
