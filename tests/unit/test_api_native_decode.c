/* SPDX-License-Identifier: Apache-2.0 */
/* Field tables: what they read, and all that they refuse. */
#include "api/native/decode.h"
#include "lib/http.h"

struct sample {
    const char *text;
    int64_t number;
    bool flag;
    int three;
    int64_t mode;
    int64_t time;
    struct pairs pairs;
    struct pair_changes changes;
    const char *object;
};

static const struct field fields[] = {
    FIELD(TEXT, struct sample, text, REQUIRED),
    FIELD(INT, struct sample, number, OPTIONAL),
    FIELD(BOOL, struct sample, flag, OPTIONAL),
    FIELD(TRISTATE, struct sample, three, OPTIONAL),
    FIELD(MODE, struct sample, mode, OPTIONAL),
    FIELD(TIME, struct sample, time, OPTIONAL),
    FIELD(PAIRS, struct sample, pairs, OPTIONAL),
    FIELD(CHANGES, struct sample, changes, OPTIONAL),
    FIELD_AS(OBJECT, "named-otherwise", struct sample, object, OPTIONAL),
    FIELDS_END,
};

static const struct sample unset = { .number = -1, .three = -1, .mode = -1, .time = -1 };

/* Answers all that was read, or the error. */
static void serve(struct http_call *http, void *worker, void *context)
{
    static struct task origin;
    struct sample sample = unset;
    struct call call;
    struct task task;
    struct error err = { 0 };

    (void)worker;
    (void)context;
    call_begin(&call, &task, &origin, http);
    int rc = strcmp(http_method(http), "GET") == 0 ? decode_query(&call, fields, &sample, &err)
                                                   : decode_body(&call, fields, &sample, &err);
    if (rc < 0) {
        call_reply_error(&call, status_of_error(err.code), &err);
        return;
    }
    size_t removed = 0;
    while (sample.changes.remove != NULL && sample.changes.remove[removed] != NULL)
        removed++;
    const char *text = arena_printf(
        task.mem, "%s|%lld|%d|%d|%llo|%lld|%s|%s|%zu|%s", sample.text, (long long)sample.number,
        sample.flag, sample.three, (unsigned long long)sample.mode, (long long)sample.time,
        pairs_to_text(&sample.pairs, task.mem), pairs_to_text(&sample.changes.set, task.mem),
        removed, sample.object != NULL ? sample.object : "-");
    (void)http_reply(http, 200, "text/plain", text, strlen(text), &err); /* read by the test */
}

static void ask(const char *method, const char *target, const char *body, struct buf *answer)
{
    static const struct http_server_spec spec = { .worker_count = 1 };
    cleanup_buf struct buf request = { 0 };
    cleanup_buf struct buf got = { 0 };
    struct site site;

    buf_printf(&request, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", method, target);
    buf_printf(&request, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
    site_open(&site, &spec, serve, NULL);
    client_talk(&site, request.data, &got);
    site_close(&site);
    buf_text(answer, strstr(got.data, "\r\n\r\n") + 4);
}

static void check_reads(const char *method, const char *target, const char *body,
                        const char *expected)
{
    cleanup_buf struct buf answer = { 0 };

    ask(method, target, body, &answer);
    CHECK_STR(answer.data, expected);
}

static void check_refuses(const char *method, const char *target, const char *body,
                          const char *part)
{
    cleanup_buf struct buf answer = { 0 };

    ask(method, target, body, &answer);
    ck_assert_msg(strstr(answer.data, "\"code\":\"invalid\"") != NULL &&
                      strstr(answer.data, part) != NULL,
                  "%s %s: '%s'", target, body, answer.data);
}

TEST(every_type_of_field_is_read_from_a_body)
{
    check_reads("POST", "/",
                "{\"text\":\"a\",\"number\":7,\"flag\":true,\"three\":false,\"mode\":\"0750\","
                "\"time\":\"1970-01-01T00:00:01Z\",\"pairs\":{\"k\":\"v\"},"
                "\"changes\":{\"set\":\"1\",\"gone\":null},\"named-otherwise\":{\"x\":[1]}}",
                "a|7|1|0|750|1000000000|{\"k\":\"v\"}|{\"set\":\"1\"}|1|{\"x\":[1]}");
}

TEST(members_that_are_absent_or_null_leave_what_was_there)
{
    check_reads("POST", "/", "{\"text\":\"a\",\"number\":null,\"three\":null}",
                "a|-1|0|-1|1777777777777777777777|-1|{}|{}|0|-");
}

TEST(the_same_tables_read_queries)
{
    check_reads("GET", "/?text=a%20b&number=12&flag=1&three=true&mode=7&time=2", "",
                "a b|12|1|1|7|2000000000|{}|{}|0|-");
}

TEST(a_member_that_no_field_names_is_refused)
{
    check_refuses("POST", "/", "{\"text\":\"a\",\"txet\":1}", "member 'txet' is not known here");
    check_refuses("POST", "/", "{\"Text\":\"a\"}", "member 'Text' is not known here");
}

TEST(a_member_that_is_required_must_be_there)
{
    check_refuses("POST", "/", "{}", "member 'text' is missing");
    check_refuses("POST", "/", "{\"text\":null}", "member 'text' is missing");
    check_refuses("GET", "/", "", "query 'text' is missing");
    check_refuses("POST", "/", "", "invalid JSON");
}

TEST(values_of_another_type_are_refused)
{
    static const char *const bad[] = {
        "\"text\":1",        "\"text\":\"a\\u0000b\"",
        "\"number\":\"1\"",  "\"number\":1.5",
        "\"number\":-1",     "\"flag\":1",
        "\"flag\":\"true\"", "\"three\":0",
        "\"mode\":750",      "\"mode\":\"\"",
        "\"mode\":\"0x1\"",  "\"mode\":\"10000\"",
        "\"mode\":\"-1\"",   "\"mode\":\"8\"",
        "\"time\":1",        "\"time\":\"soon\"",
        "\"pairs\":[]",      "\"pairs\":{\"k\":{}}",
        "\"changes\":\"x\"", "\"named-otherwise\":[]",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        cleanup_buf struct buf body = { 0 };
        buf_printf(&body, "{%s%s}", bad[i],
                   strncmp(bad[i], "\"text\"", 6) == 0 ? "" : ",\"text\":\"a\"");
        check_refuses("POST", "/", body.data, "");
    }
    check_refuses("GET", "/?text=a&flag=maybe", "", "query 'flag' cannot be 'maybe'");
    check_refuses("GET", "/?text=a&number=-1", "", "query 'number' cannot be '-1'");
}

TEST(an_object_of_too_many_entries_is_refused)
{
    cleanup_buf struct buf body = { 0 };

    buf_text(&body, "{\"text\":\"a\",\"pairs\":{");
    for (int i = 0; i <= DECODE_PAIRS_MAX; i++)
        buf_printf(&body, "%s\"k%d\":\"\"", i > 0 ? "," : "", i);
    buf_text(&body, "}}");
    check_refuses("POST", "/", body.data, "member 'pairs' has more than 1024 entries");
}
