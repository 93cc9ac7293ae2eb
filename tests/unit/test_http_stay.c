/* SPDX-License-Identifier: Apache-2.0 */
/* Workers that stay with the client they have just answered: nobody notices but by the clock. */
#include <stdatomic.h>

#include "lib/http.h"

#define BODY_SIZE 10000
#define BODY_MAX  ((size_t)1 << 20)
#define MANY      200

static _Atomic int rests;
static _Atomic bool is_tired;

static void *worker_start(void *context, struct error *err)
{
    (void)err;
    return context;
}

static void worker_rest(void *worker)
{
    (void)worker;
    rests++;
}

static bool worker_must_rest(void *worker)
{
    (void)worker;
    return is_tired;
}

static const struct http_worker_ops worker_ops = { .start = worker_start,
                                                   .rest = worker_rest,
                                                   .must_rest = worker_must_rest };

/* Answers with the path and the size of the body. */
static void serve(struct http_call *call, void *worker, void *context)
{
    struct error err;
    char *data;
    size_t size;

    (void)worker;
    (void)context;
    CHECK_OK(http_body(call, BODY_MAX, &data, &size, &err), &err);
    char *text = arena_printf(http_mem(call), "<%s %zu>", http_path(call), size);
    (void)http_reply(call, 200, "text/plain", text, strlen(text), &err);
}

static char anything;
static const struct http_server_spec spec = {
    .worker_count = 4,
    .worker_ops = &worker_ops,
    .worker_context = &anything,
};

/* What 'pieces' bring, sent right after an answer and one by one; 'text' must be in it. */
static void follow_at_once(const char *const *pieces, size_t count, const char *text)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };

    site_open(&site, &spec, serve, &anything);
    cleanup_fd int fd = site_connect(&site);
    client_send(fd, SITE_GET("/first"));
    client_expect(fd, &got, "</first 0>");
    for (size_t i = 0; i < count; i++)
        client_send(fd, pieces[i]);
    client_expect(fd, &got, text);
    site_close(&site);
}

TEST(a_request_that_follows_at_once_is_answered)
{
    static const char *const pieces[] = { SITE_GET("/second") };

    follow_at_once(pieces, ARRAY_SIZE(pieces), "</second 0>");
}

TEST(a_head_in_two_pieces_that_follows_at_once_is_answered)
{
    static const char *const pieces[] = { "GET /sec", "ond HTTP/1.1\r\nHost: x\r\n\r\n" };

    follow_at_once(pieces, ARRAY_SIZE(pieces), "</second 0>");
}

TEST(a_body_that_comes_after_its_head_is_waited_for)
{
    static const char *const pieces[] = {
        "POST /second HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc", "def"
    };

    follow_at_once(pieces, ARRAY_SIZE(pieces), "</second 6>");
}

TEST(a_body_larger_than_a_piece_is_read_whole)
{
    char body[BODY_SIZE + 1];

    memset(body, 'x', BODY_SIZE);
    body[BODY_SIZE] = '\0';
    const char *const pieces[] = {
        "POST /second HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n", body
    };
    follow_at_once(pieces, ARRAY_SIZE(pieces), "</second 10000>");
}

TEST(requests_that_follow_together_are_answered_in_turn)
{
    static const char *const pieces[] = { SITE_GET("/second")
                                              SITE_GET("/third") "\r\n" SITE_GET("/fourth") };

    follow_at_once(pieces, ARRAY_SIZE(pieces), "</fourth 0>");
}

TEST(what_is_no_request_is_refused_also_when_it_follows_at_once)
{
    static const char *const pieces[] = { "NONSENSE\r\n\r\n" };

    follow_at_once(pieces, ARRAY_SIZE(pieces), "HTTP/1.1 400");
}

TEST(a_broken_body_is_refused_also_when_it_follows_at_once)
{
    static const char *const pieces[] = {
        "POST /second HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    };

    follow_at_once(pieces, ARRAY_SIZE(pieces), "HTTP/1.1 400");
}

TEST(a_client_that_ends_after_its_answer_is_let_go)
{
    struct site site;
    cleanup_buf struct buf got = { 0 };

    site_open(&site, &spec, serve, &anything);
    cleanup_fd int fd = site_connect(&site);
    client_send(fd, SITE_GET("/first"));
    client_expect(fd, &got, "</first 0>");
    CHECK_INT(shutdown(fd, SHUT_WR), 0);
    client_expect_end(fd, &got);
    site_close(&site);
}

static void ask_many(void)
{
    struct site site;

    rests = 0;
    site_open(&site, &spec, serve, &anything);
    cleanup_fd int fd = site_connect(&site);
    for (int i = 0; i < MANY; i++) {
        cleanup_buf struct buf got = { 0 };
        client_send(fd, SITE_GET("/again"));
        client_expect(fd, &got, "</again 0>");
    }
    site_close(&site);
}

TEST(a_worker_that_must_rest_does_so_after_each_answer)
{
    is_tired = true;
    ask_many();
    is_tired = false;
    CHECK_INT(rests, MANY);
}

TEST(a_worker_rests_now_and_then_also_with_a_client_that_does_not)
{
    ask_many();
    CHECK(rests > 2);
}

TEST(workers_that_stay_leave_enough_for_others)
{
    struct site site;
    int fds[8];

    site_open(&site, &spec, serve, &anything);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        fds[i] = site_connect(&site);
    for (int round = 0; round < MANY; round++) {
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
            client_send(fds[i], SITE_GET("/all"));
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
            cleanup_buf struct buf got = { 0 };
            client_expect(fds[i], &got, "</all 0>");
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        sys_close_fd(&fds[i]);
    site_close(&site);
}
