/* SPDX-License-Identifier: Apache-2.0 */
/* Heads: what is read, and what is refused because two readers could disagree about it. */
#include <string.h>

#include "base/arena.h"
#include "http/head.h"
#include "http/http.h"
#include "http/query.h"
#include "http/text.h"
#include "lib/test.h"

static struct arena *mem;

static int parse(struct head *head, const char *text)
{
    if (mem == NULL)
        mem = arena_new();
    return head_parse(head, arena_strdup(mem, text), strlen(text));
}

TEST(head_of_a_docker_client_is_read)
{
    struct head head;

    CHECK_INT(parse(&head, "POST /v1.43/containers/create?name=a%20b&x=1 HTTP/1.1\r\n"
                           "Host: api.moby.localhost\r\n"
                           "User-Agent: Docker-Client/28.2.2 (linux)\r\n"
                           "Content-Length: 17\r\n"
                           "Content-Type:application/json  \r\n"
                           "X-Empty:\r\n\r\n"),
              0);
    CHECK_STR(head.method, "POST");
    CHECK_STR(head.path, "/v1.43/containers/create");
    CHECK_STR(head.query, "name=a%20b&x=1");
    CHECK_INT(head.body_kind, BODY_SIZED);
    CHECK_INT((int)head.body_size, 17);
    CHECK(head.keeps_alive && !head.wants_upgrade && !head.expects_continue);
    CHECK_STR(head_find(&head, "content-type"), "application/json");
    CHECK_STR(head_find(&head, "x-empty"), "");
    CHECK_STR(head_find(&head, "x-absent"), NULL);
}

TEST(head_flags_follow_the_connection_fields)
{
    struct head head;

    CHECK_INT(parse(&head, "POST /a HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\n"
                           "Upgrade: tcp\r\nTransfer-Encoding: Chunked\r\n\r\n"),
              0);
    CHECK(head.wants_upgrade && head.keeps_alive);
    CHECK_INT(head.body_kind, BODY_CHUNKED);
    CHECK_INT(parse(&head, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), 0);
    CHECK(!head.keeps_alive);
    CHECK_INT(parse(&head, "GET / HTTP/1.0\r\n\r\n"), 0);
    CHECK(!head.keeps_alive && head.minor == 0);
    CHECK_INT(parse(&head, "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n\r\n"), 0);
    CHECK(head.expects_continue);
}

TEST(head_targets_come_in_origin_and_absolute_form)
{
    struct head head;

    CHECK_INT(parse(&head, "GET http://docker/info?a=b HTTP/1.1\r\nHost: docker\r\n\r\n"), 0);
    CHECK_STR(head.path, "/info");
    CHECK_STR(head.query, "a=b");
    CHECK_INT(parse(&head, "GET /a%2Fb%25 HTTP/1.1\r\nHost: \r\n\r\n"), 0);
    CHECK_STR(head.path, "/a/b%");
    CHECK_INT(parse(&head, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), 0);
    CHECK_STR(head.path, "*");
}

TEST(head_refuses_what_could_be_read_in_two_ways)
{
    static const struct {
        int status;
        const char *text;
    } rows[] = {
        { 400, "GET / HTTP/1.1\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n" },
        { 413, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
               "Transfer-Encoding: chunked\r\n\r\n" },
        { 400, "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" },
        { 501, "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" },
        { 501, "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
               "Transfer-Encoding: chunked\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\n Host: x\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost : x\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost: x\x01\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost: x\x7f\r\n\r\n" },
        { 400, "GET  / HTTP/1.1\r\nHost: x\r\n\r\n" },
        { 400, "GET / HTTP/1.1 \r\nHost: x\r\n\r\n" },
        { 400, "GET /\tHTTP/1.1\r\nHost: x\r\n\r\n" },
        { 400, "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n" },
        { 400, "GET /\r\nHost: x\r\n\r\n" },
        { 400, "GET\r\nHost: x\r\n\r\n" },
        { 400, "G(T / HTTP/1.1\r\nHost: x\r\n\r\n" },
        { 400, "GET a HTTP/1.1\r\nHost: x\r\n\r\n" },
        { 400, "GET * HTTP/1.1\r\nHost: x\r\n\r\n" },
        { 400, "CONNECT host:80 HTTP/1.1\r\nHost: x\r\n\r\n" },
        { 400, "GET /%0 HTTP/1.1\r\nHost: x\r\n\r\n" },
        { 400, "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n" },
        { 400, "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n" },
        { 400, "GET /#a HTTP/1.1\r\nHost: x\r\n\r\n" },
        { 400, "GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n" },
        { 400, "GET / HTTP/1.11\r\nHost: x\r\n\r\n" },
        { 400, "GET / http/1.1\r\nHost: x\r\n\r\n" },
        { 505, "GET / HTTP/2.0\r\nHost: x\r\n\r\n" },
        { 417, "GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n" },
    };
    struct head head;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        ck_assert_msg(parse(&head, rows[i].text) == rows[i].status, "row %zu: %s", i, rows[i].text);
}

TEST(head_refuses_a_null_byte)
{
    char text[] = "GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n";
    struct head head;

    CHECK_INT(head_parse(&head, text, sizeof(text) - 1), 400);
}

TEST(head_has_at_most_a_hundred_fields)
{
    cleanup_buf struct buf text = { 0 };
    struct head head;

    buf_text(&text, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 1; i < HEAD_FIELDS_MAX; i++)
        buf_printf(&text, "F%d: v\r\n", i);
    cleanup_buf struct buf more = { 0 };
    buf_printf(&more, "%sone-more: v\r\n\r\n", text.data);
    buf_text(&text, "\r\n");
    CHECK_INT(head_parse(&head, text.data, text.size), 0);
    CHECK_INT((int)head.field_count, HEAD_FIELDS_MAX);
    CHECK_INT(head_parse(&head, more.data, more.size), 431);
}

TEST(head_scan_finds_the_end_wherever_the_bytes_are_cut)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET";
    size_t end = sizeof(text) - 1 - 3;

    for (size_t cut = 0; cut <= end; cut++) {
        size_t scanned = 0;
        CHECK_INT((int)head_scan(text, cut, &scanned), cut == end ? (int)end : 0);
        CHECK_INT((int)head_scan(text, sizeof(text) - 1, &scanned), (int)end);
    }
}

TEST(head_scan_refuses_bare_line_feeds_and_endless_heads)
{
    cleanup_buf struct buf text = { 0 };
    size_t scanned = 0;

    CHECK_INT((int)head_scan("GET / HTTP/1.1\nHost", 19, &scanned), -400);
    scanned = 0;
    CHECK_INT((int)head_scan("\n", 1, &scanned), -400);
    scanned = 0;
    memset(buf_reserve(&text, HTTP_HEAD_MAX), 'a', HTTP_HEAD_MAX);
    CHECK_INT((int)head_scan(text.data, HTTP_HEAD_MAX - 1, &scanned), 0);
    CHECK_INT((int)head_scan(text.data, HTTP_HEAD_MAX, &scanned), -431);
}

TEST(query_values_are_decoded_and_may_repeat)
{
    cleanup_arena struct arena *own = arena_new();
    const char *query = "names=a%2Fb&x=1+2&names=c&flag&&bad=%zz&%6eame=n&=v";

    CHECK_STR(query_find(query, "names", 0, own), "a/b");
    CHECK_STR(query_find(query, "names", 1, own), "c");
    CHECK_STR(query_find(query, "names", 2, own), NULL);
    CHECK_STR(query_find(query, "x", 0, own), "1 2");
    CHECK_STR(query_find(query, "flag", 0, own), "");
    CHECK_STR(query_find(query, "bad", 0, own), NULL);
    CHECK_STR(query_find(query, "name", 0, own), "n");
    CHECK_STR(query_find("", "name", 0, own), NULL);
}

TEST(text_lists_are_compared_token_by_token)
{
    CHECK(text_list_has("keep-alive, Upgrade", "upgrade"));
    CHECK(text_list_has("close", "close"));
    CHECK(!text_list_has("upgrades", "upgrade"));
    CHECK(!text_list_has("", "close"));
    CHECK(text_list_has(" ,, close ,", "close"));
}
