/* SPDX-License-Identifier: Apache-2.0 */
/* Reading requests and writing replies the way all doors do.  What they mean is the doors' own. */
#include "api/call.h"

#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/units.h"

static bool type_is_json(const char *type);
static bool body_is_null(const char *text);
static json_t *object_read(const char *text, size_t size, struct error *err);

void call_begin(struct call *call, struct task *task, const struct task *origin,
                struct http_call *http)
{
    struct arena *mem = http_mem(http);
    uid_t uid = http_peer_uid(http);

    *task = (struct task){
        .service = origin->service,
        .db = origin->db,
        .mem = mem,
        .actor = uid == (uid_t)-1
                     ? "peer"
                     : arena_printf(mem, "uid=%u pid=%d", uid, (int)http_peer_pid(http)),
        .idempotency_key = http_header(http, "Idempotency-Key"),
    };
    *call = (struct call){ .http = http, .task = task };
}

json_t *call_body_json(struct call *call, bool is_optional, struct error *err)
{
    const char *type = http_header(call->http, "Content-Type");
    char *text;
    size_t size;

    if (http_body(call->http, CALL_BODY_MAX, &text, &size, err) < 0)
        return NULL;
    if (size == 0 && is_optional)
        return json_object();
    if (size == 0) {
        (void)fail(err, ERR_INVALID, "invalid JSON: got EOF while reading request body");
        return NULL;
    }
    if (type != NULL && !type_is_json(type)) {
        (void)fail(err, ERR_INVALID,
                   "unsupported Content-Type header (%s): must be 'application/json'", type);
        return NULL;
    }
    if (is_optional && body_is_null(text))
        return json_object();
    return object_read(text, size, err);
}

int call_query_bool(const struct call *call, const char *name, bool *value, struct error *err)
{
    static const char *const negative[] = { "", "0", "false", "no", "none" };
    const char *text = http_query(call->http, name);

    (void)err; /* every text is one or the other, as Docker has it */
    if (text == NULL)
        return 0;
    *value = true;
    for (size_t i = 0; i < ARRAY_SIZE(negative); i++)
        if (strcasecmp(text, negative[i]) == 0)
            *value = false;
    return 0;
}

int call_query_int(const struct call *call, const char *name, int64_t *value, struct error *err)
{
    const char *text = http_query(call->http, name);

    if (text == NULL || *text == '\0')
        return 0;
    if (units_parse_int(text, value) < 0)
        return fail(err, ERR_INVALID, "query '%s' is not a number: '%s'", name, text);
    return 0;
}

int call_reply_json(struct call *call, int status, json_t *json, struct error *err)
{
    cleanup_json json_t *owned = json;
    cleanup_buf struct buf body = { 0 };

    json_append(&body, owned);
    buf_text(&body, "\n");
    return http_reply(call->http, status, "application/json", body.data, body.size, err);
}

int call_reply_empty(struct call *call, int status, struct error *err)
{
    return http_reply(call->http, status, NULL, NULL, 0, err);
}

void call_reply_error(struct call *call, int status, const struct error *error)
{
    json_t *body = json_object();
    struct error err;

    if (http_reply_has_begun(call->http)) {
        json_decref(body);
        log_line(http_client_is_gone(call->http) ? LOG_DEBUG : LOG_WARN,
                 "reply broken off method=%s path=%s error=\"%s\"", http_method(call->http),
                 http_path(call->http), error->message);
        return;
    }
    json_set(body, "message", json_text(error->message));
    json_set(body, "code", json_text(error_code_name(error->code)));
    if (call_reply_json(call, status, body, &err) < 0)
        log_debug("error not delivered error=\"%s\" reason=\"%s\"", error->message, err.message);
}

/* "application/json; charset=utf-8", "application/vnd.docker.plugins.v1.1+json" */
static bool type_is_json(const char *type)
{
    size_t length = strcspn(type, "; \t");

    return length >= 4 && strncasecmp(type + length - 4, "json", 4) == 0;
}

/* Docker's client before 23 writes "null" where it has nothing to say. */
static bool body_is_null(const char *text)
{
    static const char blank[] = " \t\r\n";

    text += strspn(text, blank);
    return strncmp(text, "null", 4) == 0 && text[4 + strspn(text + 4, blank)] == '\0';
}

static json_t *object_read(const char *text, size_t size, struct error *err)
{
    json_t *json = json_read(text, size, err);

    if (json == NULL || json_is_object(json))
        return json;
    json_decref(json);
    (void)fail(err, ERR_INVALID, "invalid JSON: the body must be an object");
    return NULL;
}
