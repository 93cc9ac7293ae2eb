/* SPDX-License-Identifier: Apache-2.0 */
/* The doors' plumbing over a real socket: the task, bodies, queries, answers. */
#include "api/call.h"
#include "lib/http.h"

static struct task origin;

/* Answers what the call's parts were read as. */
static int handle(struct call *call, struct error *err)
{
    bool flag = false;
    int64_t number = -1;
    cleanup_json json_t *body = call_body_json(call, http_query(call->http, "empty") != NULL, err);

    if (body == NULL || call_query_bool(call, "flag", &flag, err) < 0 ||
        call_query_int(call, "number", &number, err) < 0)
        return -1;
    if (http_query(call->http, "nothing") != NULL)
        return call_reply_empty(call, 204, err);
    json_t *answer = json_object();
    json_set(answer, "flag", json_boolean(flag));
    json_set(answer, "number", json_integer(number));
    json_set(answer, "actor", json_text(call->task->actor));
    json_set(answer, "key", json_text(call->task->idempotency_key));
    json_set(answer, "members", json_integer((json_int_t)json_object_size(body)));
    CHECK(call->task->mem == http_mem(call->http));
    return call_reply_json(call, 200, answer, err);
}

static void serve(struct http_call *http, void *worker, void *context)
{
    struct call call;
    struct task task;
    struct error err = { 0 };

    (void)worker;
    (void)context;
    call_begin(&call, &task, &origin, http);
    if (handle(&call, &err) < 0)
        call_reply_error(&call, status_of_error(err.code), &err);
}

static void ask(const char *target, const char *type, const char *body, struct buf *got)
{
    static const struct http_server_spec spec = { .worker_count = 1 };
    struct site site;
    cleanup_buf struct buf request = { 0 };

    buf_printf(&request, "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", target);
    if (type != NULL)
        buf_printf(&request, "Content-Type: %s\r\n", type);
    buf_printf(&request, "Idempotency-Key: k1\r\nContent-Length: %zu\r\n\r\n%s", strlen(body),
               body);
    site_open(&site, &spec, serve, NULL);
    client_talk(&site, request.data, got);
    site_close(&site);
}

static void check_message(const char *target, const char *type, const char *body,
                          const char *message)
{
    cleanup_buf struct buf got = { 0 };
    cleanup_buf struct buf expected = { 0 };

    ask(target, type, body, &got);
    CHECK(strstr(got.data, "HTTP/1.1 400 Bad Request\r\n") != NULL);
    CHECK(strstr(got.data, "\r\nContent-Type: application/json\r\n") != NULL);
    buf_printf(&expected, "{\"message\":\"%s\",\"code\":\"invalid\"}\n", message);
    CHECK_STR(strstr(got.data, "\r\n\r\n") + 4, expected.data);
}

TEST(a_call_knows_who_asks_and_under_which_key)
{
    cleanup_buf struct buf got = { 0 };
    char actor[60];

    ask("/?flag=1&number=-12", "application/json; charset=utf-8", "{\"A\":1}", &got);
    (void)snprintf(actor, sizeof(actor), "\"actor\":\"uid=%u pid=%d\"", getuid(), (int)getpid());
    CHECK(strstr(got.data, actor) != NULL);
    CHECK(strstr(got.data, "\"key\":\"k1\"") != NULL);
    CHECK(strstr(got.data, "\"flag\":true") != NULL);
    CHECK(strstr(got.data, "\"number\":-12") != NULL);
    CHECK(strstr(got.data, "\"members\":1") != NULL);
}

TEST(booleans_of_a_query_are_read_as_docker_reads_them)
{
    static const struct {
        const char *target;
        const char *answer;
    } rows[] = {
        { "/", "\"flag\":false" },         { "/?flag=", "\"flag\":false" },
        { "/?flag=0", "\"flag\":false" },  { "/?flag=False", "\"flag\":false" },
        { "/?flag=no", "\"flag\":false" }, { "/?flag=none", "\"flag\":false" },
        { "/?flag=1", "\"flag\":true" },   { "/?flag=true", "\"flag\":true" },
        { "/?flag=x", "\"flag\":true" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_buf struct buf got = { 0 };
        ask(rows[i].target, NULL, "{}", &got);
        ck_assert_msg(strstr(got.data, rows[i].answer) != NULL, "%s", rows[i].target);
    }
}

TEST(bodies_that_are_no_json_object_are_refused_in_dockers_words)
{
    check_message("/", "application/json", "", "invalid JSON: got EOF while reading request body");
    check_message("/", "text/plain", "{}",
                  "unsupported Content-Type header (text/plain): must be 'application/json'");
    check_message("/", NULL, "[]", "invalid JSON: the body must be an object");
    check_message("/?number=x", NULL, "{}", "query 'number' is not a number: 'x'");
}

TEST(bodies_may_be_empty_where_they_are_optional)
{
    cleanup_buf struct buf got = { 0 };

    ask("/?empty", "text/plain", "", &got);
    CHECK(strstr(got.data, "\"members\":0") != NULL);
}

TEST(plugin_content_types_are_json)
{
    cleanup_buf struct buf got = { 0 };

    ask("/", "application/vnd.docker.plugins.v1.1+json", "{}", &got);
    CHECK(strstr(got.data, "HTTP/1.1 200 OK") != NULL);
}

TEST(empty_answers_have_no_body)
{
    cleanup_buf struct buf got = { 0 };

    ask("/?nothing", NULL, "{}", &got);
    CHECK(strstr(got.data, "HTTP/1.1 204 No Content\r\n") != NULL);
    CHECK_STR(strstr(got.data, "\r\n\r\n"), "\r\n\r\n");
}
