/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and replies over real sockets: framing, keep-alive, pipelining, bodies, the end. */
#include <stdatomic.h>
#include <sys/stat.h>

#include "lib/http.h"

#define LARGE_SIZE ((size_t)3 << 20)
#define SLOW_MS    200

static _Atomic int worker_starts;
static _Atomic int worker_stops;

static void *worker_start(void *context, struct error *err)
{
    worker_starts++;
    if (context == NULL) {
        (void)fail(err, ERR_NO_SPACE, "no database");
        return NULL;
    }
    return context;
}

static void worker_stop(void *worker)
{
    CHECK(worker != NULL);
    worker_stops++;
}

static const struct http_worker_ops worker_ops = { .start = worker_start, .stop = worker_stop };

static void serve_hello(struct http_call *call)
{
    struct error err;

    http_reply_header(call, "X-Test", "a\r\nb");
    (void)http_reply(call, 200, "text/plain", "hello", 5, &err);
}

static void serve_body(struct http_call *call)
{
    struct error err;
    char *data;
    size_t size;

    if (http_body(call, LARGE_SIZE, &data, &size, &err) == 0)
        (void)http_reply(call, 204, NULL, NULL, 0, &err);
}

static void serve_pieces(struct http_call *call)
{
    struct error err;

    (void)http_reply_begin(call, 200, "text/plain", &err);
    CHECK(http_reply_has_begun(call));
    (void)http_reply_write(call, "one ", 4, &err);
    (void)http_reply_write(call, "", 0, &err);
    (void)http_reply_write(call, "two", 3, &err);
    (void)http_reply_end(call, &err);
}

static void serve_large(struct http_call *call)
{
    struct error err;
    char *data = arena_alloc(http_mem(call), LARGE_SIZE);

    memset(data, 'x', LARGE_SIZE);
    (void)http_reply(call, 200, "text/plain", data, LARGE_SIZE, &err);
}

static void serve_who(struct http_call *call)
{
    struct error err;
    char *text = arena_printf(http_mem(call), "uid=%u pid=%d q=%s r=%s h=%s", http_peer_uid(call),
                              (int)http_peer_pid(call), http_query(call, "q"),
                              http_query_nth(call, "q", 1), http_header(call, "x-given"));

    (void)http_reply(call, 200, "text/plain", text, strlen(text), &err);
}

static void serve_broken(struct http_call *call)
{
    struct error err;

    (void)http_reply_begin(call, 200, "text/plain", &err);
    (void)http_reply_write(call, "half", 4, &err);
}

static void serve_slow(struct http_call *call)
{
    struct error err;

    CHECK(!http_client_is_gone(call));
    (void)poll(NULL, 0, SLOW_MS);
    (void)http_reply(call, 200, "text/plain", "slow", 4, &err);
}

static _Atomic bool was_gone;

static void serve_until_gone(struct http_call *call)
{
    struct error err;

    for (int i = 0; i < 1000 && !http_client_is_gone(call); i++)
        (void)poll(NULL, 0, 10);
    was_gone = http_client_is_gone(call);
    (void)http_reply(call, 200, NULL, NULL, 0, &err);
}

static void serve_nothing_more(struct http_call *call)
{
    struct error err;

    (void)http_reply(call, 204, NULL, NULL, 0, &err);
}

static void serve_silence(struct http_call *call)
{
    (void)call;
}

static void serve(struct http_call *call, void *worker, void *context)
{
    static const struct {
        const char *path;
        void (*serve)(struct http_call *call);
    } rows[] = {
        { "/hello", serve_hello },      { "/body", serve_body },
        { "/pieces", serve_pieces },    { "/large", serve_large },
        { "/who", serve_who },          { "/broken", serve_broken },
        { "/slow", serve_slow },        { "/gone", serve_until_gone },
        { "/204", serve_nothing_more }, { "/silence", serve_silence },
    };

    CHECK(worker == context);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].path, http_path(call)) == 0)
            rows[i].serve(call);
}

static char anything;
static const struct http_server_spec spec = {
    .worker_count = 2,
    .worker_ops = &worker_ops,
    .worker_context = &anything,
    .server_name = "test/1",
};

static void open_site(struct site *site)
{
    site_open(site, &spec, serve, &anything);
}

/* One request that ends its connection; 'got' is all that came. */
static void talk(const char *request, struct buf *got)
{
    struct site site;

    open_site(&site);
    client_talk(&site, request, got);
    site_close(&site);
}

TEST(server_answers_with_status_headers_and_body)
{
    cleanup_buf struct buf got = { 0 };

    talk("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &got);
    CHECK(strstr(got.data, "HTTP/1.1 200 OK\r\nServer: test/1\r\nDate: ") == got.data);
    CHECK(strstr(got.data, "\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n") != NULL);
    CHECK(strstr(got.data, "\r\nConnection: close\r\n") != NULL);
    CHECK(strstr(got.data, "\r\n\r\nhello") != NULL);
}

TEST(reply_headers_cannot_be_split_by_their_value)
{
    cleanup_buf struct buf got = { 0 };

    talk("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &got);
    CHECK(strstr(got.data, "\r\nX-Test: a??b\r\n") != NULL);
}

TEST(head_requests_get_the_headers_only)
{
    cleanup_buf struct buf got = { 0 };
    cleanup_buf struct buf pieces = { 0 };

    talk("HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &got);
    CHECK(strstr(got.data, "Content-Length: 5\r\n") != NULL);
    CHECK_STR(strstr(got.data, "\r\n\r\n"), "\r\n\r\n");
    talk("HEAD /pieces HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &pieces);
    CHECK_STR(strstr(pieces.data, "\r\n\r\n"), "\r\n\r\n");
}

TEST(replies_without_content_say_nothing_of_its_length)
{
    cleanup_buf struct buf got = { 0 };

    talk("GET /204 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &got);
    CHECK(strstr(got.data, "HTTP/1.1 204 No Content\r\n") != NULL);
    CHECK(strstr(got.data, "Content-Length") == NULL);
}

TEST(replies_in_pieces_are_chunked_for_1_1_and_plain_for_1_0)
{
    cleanup_buf struct buf got = { 0 };
    cleanup_buf struct buf old = { 0 };

    talk("GET /pieces HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &got);
    CHECK_STR(strstr(got.data, "\r\n\r\n"), "\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n");
    talk("GET /pieces HTTP/1.0\r\n\r\n", &old);
    CHECK(strstr(old.data, "chunked") == NULL);
    CHECK_STR(strstr(old.data, "\r\n\r\n"), "\r\n\r\none two");
}

TEST(a_handler_that_does_not_reply_is_answered_for)
{
    cleanup_buf struct buf got = { 0 };

    talk("GET /silence HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &got);
    CHECK(strstr(got.data, "HTTP/1.1 500 Internal Server Error\r\n") != NULL);
}

TEST(a_reply_that_breaks_off_has_no_last_chunk)
{
    cleanup_buf struct buf got = { 0 };

    talk(SITE_GET("/broken"), &got);
    CHECK_STR(strstr(got.data, "\r\n\r\n"), "\r\n\r\n4\r\nhalf\r\n");
}

TEST(handlers_know_the_peer_the_query_and_the_headers)
{
    cleanup_buf struct buf got = { 0 };
    char expected[100];

    talk("GET /who?q=a%20b&q=2 HTTP/1.1\r\nHost: x\r\nX-GIVEN:  v \r\nConnection: close\r\n\r\n",
         &got);
    (void)snprintf(expected, sizeof(expected), "\r\n\r\nuid=%u pid=%d q=a b r=2 h=v", getuid(),
                   (int)getpid());
    CHECK_STR(strstr(got.data, "\r\n\r\n"), expected);
}

TEST(refused_requests_end_the_connection)
{
    static const struct {
        const char *request;
        const char *status_line;
    } rows[] = {
        { "GET /hello HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n" },
        { "GET /hello HTTP/1.1\nHost: x\n\n", "HTTP/1.1 400 Bad Request\r\n" },
        { "GET /hello HTTP/3.0\r\nHost: x\r\n\r\n", "HTTP/1.1 505 HTTP Version Not" },
        { "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
          "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SITE_GET("/hello"),
          "HTTP/1.1 400 Bad Request\r\n" },
        { "POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
          "HTTP/1.1 400 Bad Request\r\n" },
        { "POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
          "HTTP/1.1 501 Not Implemented\r\n" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_buf struct buf got = { 0 };
        talk(rows[i].request, &got);
        ck_assert_msg(strncmp(got.data, rows[i].status_line, strlen(rows[i].status_line)) == 0,
                      "row %zu: %s", i, got.data);
        CHECK(strstr(got.data + 1, "HTTP/1.1 ") == NULL);
    }
}

TEST(heads_are_bounded)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };
    cleanup_buf struct buf request = { 0 };

    buf_text(&request, "GET /hello HTTP/1.1\r\nHost: x\r\nA: ");
    while (request.size < HTTP_HEAD_MAX)
        buf_text(&request, "aaaaaaaaaaaaaaaa");
    open_site(&site);
    client_talk(&site, request.data, &got);
    CHECK(strstr(got.data, "HTTP/1.1 431 ") != NULL);
    site_close(&site);
}

TEST(large_replies_wait_for_their_reader_without_a_worker)
{
    struct site site;
    int readers[4];
    cleanup_buf struct buf quick = { 0 };

    open_site(&site);
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
        readers[i] = site_connect(&site);
        client_send(readers[i], "GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    }
    client_talk(&site, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &quick);
    CHECK(strstr(quick.data, "hello") != NULL);
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
        cleanup_buf struct buf got = { 0 };
        client_expect_end(readers[i], &got);
        CHECK(got.size > LARGE_SIZE && got.size < LARGE_SIZE + 1000);
        sys_close_fd(&readers[i]);
    }
    site_close(&site);
}

TEST(a_half_closed_client_still_gets_its_reply)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };

    open_site(&site);
    cleanup_fd int fd = site_connect(&site);
    client_send(fd, SITE_GET("/slow"));
    CHECK_INT(shutdown(fd, SHUT_WR), 0);
    client_expect_end(fd, &got);
    CHECK_STR(strstr(got.data, "\r\n\r\n"), "\r\n\r\nslow");
    site_close(&site);
}

TEST(handlers_learn_that_their_client_is_gone)
{
    struct site site;

    open_site(&site);
    int fd = site_connect(&site);
    client_send(fd, SITE_GET("/gone"));
    (void)poll(NULL, 0, 50);
    sys_close_fd(&fd);
    site_close(&site);
    CHECK(was_gone);
}

TEST(stopping_lets_running_handlers_answer)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };

    worker_starts = worker_stops = 0;
    open_site(&site);
    cleanup_fd int fd = site_connect(&site);
    cleanup_fd int idle = site_connect(&site);
    client_send(fd, SITE_GET("/slow"));
    (void)poll(NULL, 0, SLOW_MS / 4);
    site_close(&site);
    client_expect_end(fd, &got);
    CHECK(strstr(got.data, "\r\n\r\nslow") != NULL);
    client_expect_end(idle, &got);
    CHECK_INT(worker_starts, 2);
    CHECK_INT(worker_stops, 2);
}

TEST(stopping_cuts_off_clients_that_do_not_end)
{
    struct site site;
    int64_t began_ms = clock_mono_ms();

    open_site(&site);
    cleanup_fd int fd = site_connect(&site);
    client_send(fd, "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc");
    (void)poll(NULL, 0, 50);
    http_server_stop(site.server, 100);
    CHECK(clock_mono_ms() - began_ms < 5000);
    site_close(&site);
}

TEST(a_worker_that_cannot_start_is_the_servers_failure)
{
    struct error err = { 0 };
    struct http_server_spec broken = spec;

    broken.worker_context = NULL;
    CHECK(http_server_new(&broken, &err) == NULL);
    CHECK_INT(err.code, ERR_NO_SPACE);
    CHECK_STR(err.message, "no database");
}

TEST(listening_replaces_stale_sockets_only)
{
    struct site site;
    struct error err = { 0 };
    struct stat st;
    char path[64];

    open_site(&site);
    (void)snprintf(path, sizeof(path), "%s/s", site.directory);
    CHECK_FAILS(http_listen_unix(path, 0600, (gid_t)-1, &err), &err, ERR_BUSY);
    http_server_stop(site.server, 0);
    cleanup_fd int again = http_listen_unix(path, 0660, getgid(), &err);
    CHECK_OK(again, &err);
    CHECK_INT(stat(path, &st), 0);
    CHECK_INT((int)(st.st_mode & 0777), 0660);
    (void)snprintf(path, sizeof(path), "%s/file", site.directory);
    cleanup_fd int file = sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY, 0600);
    CHECK_FAILS(http_listen_unix(path, 0600, (gid_t)-1, &err), &err, ERR_EXISTS);
    CHECK_FAILS(http_listen_unix("relative", 0600, (gid_t)-1, &err), &err, ERR_INVALID);
    CHECK_FAILS(http_listen_unix("/nowhere/s", 0600, (gid_t)-1, &err), &err, ERR_NOT_FOUND);
    site_close(&site);
}
