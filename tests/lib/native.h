/* SPDX-License-Identifier: Apache-2.0 */
/* The native door over a real socket, on a service with a state directory of its own. */
#ifndef LIB_NATIVE_H
#define LIB_NATIVE_H

#include "api/native/native.h"
#include "core/operation/event.h"
#include "core/pool/pool.h"
#include "core/service.h"
#include "lib/http.h"
#include "store/db.h"

struct native {
    char state[40];
    struct service service;
    struct task task; /* the test's own */
    struct site site;
};

static inline void *native_worker_start(void *context, struct error *err)
{
    struct task *task = mem_alloc(sizeof(*task));

    *task = (struct task){ .service = context, .actor = "test" };
    task->db = service_db_open(context, err);
    CHECK(task->db != NULL);
    return task;
}

static inline void native_worker_stop(void *worker)
{
    struct task *task = worker;

    db_close(task->db);
    free(task);
}

static inline void native_open(struct native *native)
{
    static const struct http_worker_ops ops = { .start = native_worker_start,
                                                .stop = native_worker_stop };
    struct service_spec spec = { .runner_path = "/bin/false", .confined_path = "/bin/false" };
    struct error err = { 0 };

    (void)strcpy(native->state, "/tmp/volumed-native-XXXXXX");
    CHECK(mkdtemp(native->state) != NULL);
    spec.state_dir = native->state;
    CHECK_OK(service_open(&native->service, &spec, &err), &err);
    native->task = (struct task){ .service = &native->service,
                                  .db = service_db_open(&native->service, &err),
                                  .mem = arena_new(),
                                  .actor = "test" };
    CHECK(native->task.db != NULL);
    CHECK_OK(pool_make_default(&native->task, &err), &err);
    native->service.pools = pools_open(&native->task, &err);
    CHECK(native->service.pools != NULL);
    const struct http_server_spec server = { .worker_count = 2,
                                             .worker_ops = &ops,
                                             .worker_context = &native->service };
    site_open(&native->site, &server, native_serve, NULL);
}

static inline void native_close(struct native *native)
{
    struct error err = { 0 };

    site_close(&native->site);
    pools_close(native->service.pools);
    db_close(native->task.db);
    arena_free(native->task.mem);
    service_close(&native->service);
    CHECK_OK(fs_remove_tree(AT_FDCWD, native->state, &err), &err);
}

/* The answer's JSON, which must have that status.  'body' may be NULL. */
static inline json_t *native_ask(struct native *native, const char *method, const char *path,
                                 const char *body, int expected_status)
{
    cleanup_buf struct buf request = { 0 };
    cleanup_buf struct buf got = { 0 };
    struct error err = { 0 };

    buf_printf(&request, "%s /volumed/v1%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", method,
               path);
    buf_printf(&request, "Content-Length: %zu\r\n\r\n%s", body != NULL ? strlen(body) : 0,
               body != NULL ? body : "");
    client_talk(&native->site, request.data, &got);
    int status = (int)strtol(got.data + strlen("HTTP/1.1 "), NULL, 10);
    ck_assert_msg(status == expected_status, "%s %s: %s", method, path, got.data);
    const char *text = strstr(got.data, "\r\n\r\n") + 4;
    json_t *answer = json_read(text, strlen(text), &err);
    ck_assert_msg(answer != NULL, "%s %s: %s", method, path, got.data);
    return answer;
}

static inline void native_do(struct native *native, const char *method, const char *path,
                             const char *body, int expected_status)
{
    json_decref(native_ask(native, method, path, body, expected_status));
}

/* The request must fail with this status and code, and a message that has 'part' in it. */
static inline void native_refuse(struct native *native, const char *method, const char *path,
                                 const char *body, int status, const char *code, const char *part)
{
    cleanup_json json_t *answer = native_ask(native, method, path, body, status);
    const char *message = json_string_value(json_object_get(answer, "message"));

    CHECK_STR(json_string_value(json_object_get(answer, "code")), code);
    ck_assert_msg(message != NULL && strstr(message, part) != NULL, "'%s'", message);
}

static inline const char *text_of(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

static inline int64_t number_of(const json_t *json, const char *name)
{
    const json_t *number = json_object_get(json, name);

    ck_assert_msg(json_is_integer(number), "no number '%s'", name);
    return json_integer_value(number);
}

/* Entries of the list 'name'. */
static inline int count_of(const json_t *json, const char *name)
{
    return (int)json_array_size(json_object_get(json, name));
}

#endif
