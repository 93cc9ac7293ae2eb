/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's exec endpoints: make one, start it (detached or on this connection), look at it. */
#include "core/container/exec.h"

#include "api/docker/handlers.h"
#include "api/docker/hijack.h"
#include "api/docker/query.h"

static int start_detached(struct call *call, const struct exec_start_spec *spec, struct error *err);
static int start_spec_read(struct call *call, struct exec_start_spec *spec, struct error *err);
static int console_size_read(const json_t *body, struct exec_start_spec *spec, struct error *err);
static json_t *exec_json(const struct exec *exec);
static json_t *process_json(const struct exec *exec);
static json_t *words_after_first(const json_t *words);

int docker_exec_create(struct call *call, struct error *err)
{
    cleanup_json json_t *body = call_body_json(call, false, err);
    const char *id;

    if (body == NULL || exec_create(call->task, call->args[0], body, &id, err) < 0)
        return -1;
    return call_reply_json(call, 201, json_pack("{s:s}", "Id", id), err);
}

int docker_exec_start(struct call *call, struct error *err)
{
    struct exec_start_spec spec = { 0 };
    struct hijack hijack;
    int fd;

    if (start_spec_read(call, &spec, err) < 0)
        return -1;
    if (spec.is_detached)
        return start_detached(call, &spec, err);
    if (exec_check(call->task, call->args[0], err) < 0 ||
        hijack_begin(call, spec.is_terminal, &hijack, err) < 0)
        return -1;
    if (exec_start(call->task, call->args[0], &spec, &fd, err) < 0)
        hijack_tell(&hijack, err->message);
    else
        hijack_connect(&hijack, fd);
    return 0;
}

int docker_exec_resize(struct call *call, struct error *err)
{
    int rows;
    int columns;

    if (query_size(call, &rows, &columns, err) < 0 ||
        exec_resize(call->task, call->args[0], rows, columns, err) < 0)
        return -1;
    return call_reply_empty(call, 200, err);
}

int docker_exec_inspect(struct call *call, struct error *err)
{
    cleanup_exec struct exec exec = { 0 };

    if (exec_get(call->task, call->args[0], &exec, err) < 0)
        return -1;
    return call_reply_json(call, 200, exec_json(&exec), err);
}

static int start_detached(struct call *call, const struct exec_start_spec *spec, struct error *err)
{
    int fd;

    if (exec_start(call->task, call->args[0], spec, &fd, err) < 0)
        return -1;
    return call_reply_empty(call, 200, err);
}

static int start_spec_read(struct call *call, struct exec_start_spec *spec, struct error *err)
{
    cleanup_json json_t *body = call_body_json(call, true, err);

    if (body == NULL || json_get_bool(body, "Detach", &spec->is_detached, err) < 0 ||
        json_get_bool(body, "Tty", &spec->is_terminal, err) < 0)
        return -1;
    return console_size_read(body, spec, err);
}

/* [height, width] */
static int console_size_read(const json_t *body, struct exec_start_spec *spec, struct error *err)
{
    const json_t *size = json_member(body, "ConsoleSize");
    json_int_t rows = json_integer_value(json_array_get(size, 0));
    json_int_t columns = json_integer_value(json_array_get(size, 1));

    if (rows < 0 || rows > UINT16_MAX || columns < 0 || columns > UINT16_MAX)
        return fail(err, ERR_INVALID, "invalid JSON: 'ConsoleSize' is out of range");
    spec->rows = (int)rows;
    spec->columns = (int)columns;
    return 0;
}

static json_t *exec_json(const struct exec *exec)
{
    json_t *json = json_object();

    json_set(json, "ID", json_text(exec->id));
    json_set(json, "Running", json_boolean(exec->is_running));
    json_set(json, "ExitCode", exec->has_exited ? json_integer(exec->exit_code) : json_null());
    json_set(json, "ProcessConfig", process_json(exec));
    json_set(json, "OpenStdin",
             json_boolean(json_is_true(json_member(exec->config, "AttachStdin"))));
    json_set(json, "OpenStderr",
             json_boolean(json_is_true(json_member(exec->config, "AttachStderr"))));
    json_set(json, "OpenStdout",
             json_boolean(json_is_true(json_member(exec->config, "AttachStdout"))));
    json_set(json, "CanRemove", json_boolean(exec->has_exited));
    json_set(json, "ContainerID", json_text(exec->container_id));
    json_set(json, "DetachKeys", json_string(""));
    json_set(json, "Pid", json_integer(exec->pid));
    return json;
}

static json_t *process_json(const struct exec *exec)
{
    json_t *words = json_member(exec->config, "Cmd");
    json_t *user = json_member(exec->config, "User");
    json_t *process = json_object();

    json_set(process, "tty", json_boolean(exec->is_terminal));
    json_set(process, "entrypoint",
             json_text_or_empty(json_string_value(json_array_get(words, 0))));
    json_set(process, "arguments", words_after_first(words));
    json_set(process, "privileged",
             json_boolean(json_is_true(json_member(exec->config, "Privileged"))));
    if (user != NULL)
        json_set(process, "user", json_incref(user));
    return process;
}

static json_t *words_after_first(const json_t *words)
{
    json_t *rest = json_array();

    for (size_t i = 1; i < json_array_size(words); i++)
        json_add(rest, json_incref(json_array_get(words, i)));
    return rest;
}
