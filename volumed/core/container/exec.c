/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs on execs. */
#include "core/container/exec.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"
#include "base/units.h"
#include "core/box/container_launch.h"
#include "core/box/exec_box.h"
#include "core/box/monitor.h"
#include "core/container/container.h"
#include "core/container/container_event.h"
#include "core/container/exec_table.h"
#include "core/container/shape.h"
#include "core/service.h"
#include "runtime/supervisor.h"

#define FRAME_HEAD 8

static const struct shape_field fields[] = {
    { "User", SHAPE_TEXT, SHAPE_ZERO },
    { "Privileged", SHAPE_BOOL, SHAPE_ZERO },
    { "Tty", SHAPE_BOOL, SHAPE_ZERO },
    { "ConsoleSize", SHAPE_LIST, SHAPE_OMIT },
    { "AttachStdin", SHAPE_BOOL, SHAPE_ZERO },
    { "AttachStdout", SHAPE_BOOL, SHAPE_ZERO },
    { "AttachStderr", SHAPE_BOOL, SHAPE_ZERO },
    { "Detach", SHAPE_BOOL, SHAPE_ZERO },
    { "DetachKeys", SHAPE_TEXT, SHAPE_ZERO },
    { "Env", SHAPE_TEXTS, SHAPE_ZERO },
    { "WorkingDir", SHAPE_TEXT, SHAPE_ZERO },
    { "Cmd", SHAPE_TEXTS, SHAPE_ZERO },
    { .name = NULL },
};

static int check_container(const struct container *container, struct error *err);
static const char *command_text(struct task *task, const json_t *config);
static int emit(struct task *task, const struct container *container, const struct exec *exec,
                const char *verb, struct error *err);
static int launch(struct task *task, const struct exec *exec, const struct container *container,
                  const struct exec_start_spec *spec, int *fd, struct error *err);
static int connect_and_start(struct task *task, const struct exec *exec, int dirfd,
                             const struct exec_start_spec *spec, int *fd, struct error *err);
static const char *streams_of(struct task *task, const struct exec *exec);
static int report_failure(struct task *task, const struct exec *exec, const struct error *failure,
                          int *fd, struct error *err);

int exec_create(struct task *task, const char *ref, const json_t *config, const char **id,
                struct error *err)
{
    cleanup_container struct container container = { 0 };
    cleanup_exec struct exec exec = { 0 };
    cleanup_json json_t *shaped = shape_apply(fields, "ExecConfig", config, err);

    if (shaped == NULL || container_get(task, ref, &container, err) < 0 ||
        check_container(&container, err) < 0)
        return -1;
    if (json_array_size(json_object_get(shaped, "Cmd")) == 0)
        return fail(err, ERR_INVALID, "No exec command specified");
    execs_add(task, container.id, shaped, id);
    if (execs_get(task, *id, &exec, err) < 0)
        return -1;
    return emit(task, &container, &exec, "exec_create", err);
}

/* The stream of an attached exec ends after its exit was written: whoever has seen the end is not
 * told "running" only because the monitor is slower. */
int exec_get(struct task *task, const char *id, struct exec *exec, struct error *err)
{
    struct box_exit end;

    if (execs_get(task, id, exec, err) < 0)
        return -1;
    if (exec->is_running && exec_box_read_exit(task, exec, &end)) {
        exec->is_running = false;
        exec->has_exited = true;
        exec->exit_code = end.code;
    }
    return 0;
}

int exec_check(struct task *task, const char *id, struct error *err)
{
    cleanup_container struct container container = { 0 };
    cleanup_exec struct exec exec = { 0 };

    if (execs_get(task, id, &exec, err) < 0 ||
        container_get(task, exec.container_id, &container, err) < 0)
        return -1;
    return check_container(&container, err);
}

int exec_start(struct task *task, const char *id, const struct exec_start_spec *spec, int *fd,
               struct error *err)
{
    cleanup_container struct container container = { 0 };
    cleanup_exec struct exec exec = { 0 };
    struct error failure;

    *fd = -1;
    if (execs_get(task, id, &exec, err) < 0 ||
        container_get(task, exec.container_id, &container, err) < 0 ||
        check_container(&container, err) < 0 || execs_begin(task, id, err) < 0)
        return -1;
    if (launch(task, &exec, &container, spec, fd, &failure) < 0) {
        execs_set_exit(task, id, launch_exit_code(failure.message, LAUNCH_EXEC_FAILED));
        return report_failure(task, &exec, &failure, spec->is_detached ? NULL : fd, err);
    }
    if (emit(task, &container, &exec, "exec_start", err) == 0)
        return 0;
    sys_close_fd(fd); /* the process runs on; its client is told that something failed */
    return -1;
}

int exec_resize(struct task *task, const char *id, int rows, int columns, struct error *err)
{
    cleanup_exec struct exec exec = { 0 };

    if (execs_get(task, id, &exec, err) < 0)
        return -1;
    cleanup_fd int dirfd = exec_box_open(task, &exec, err);
    if (dirfd < 0)
        return fail(err, ERR_CONFLICT, "exec %s is not running", id);
    return supervisor_ask(dirfd, arena_printf(task->mem, "resize %d %d", rows, columns), NULL, err);
}

static int check_container(const struct container *container, struct error *err)
{
    if (strcmp(container->state, "paused") == 0)
        return fail(err, ERR_CONFLICT, "Container %s is paused, unpause the container before exec",
                    container->id);
    if (strcmp(container->state, "restarting") == 0)
        return fail(err, ERR_CONFLICT,
                    "Container %s is restarting, wait until the container is running",
                    container->id);
    if (!container_is_live(container))
        return fail(err, ERR_CONFLICT, "Container %s is not running", container->id);
    return 0;
}

static int emit(struct task *task, const struct container *container, const struct exec *exec,
                const char *verb, struct error *err)
{
    const char *action = arena_printf(task->mem, "%s: %s", verb, command_text(task, exec->config));

    return container_emit_with(task, container, action, "execID", exec->id, err);
}

static const char *command_text(struct task *task, const json_t *config)
{
    const char *text = "";
    size_t i;
    json_t *word;

    json_array_foreach(json_object_get(config, "Cmd"), i, word)
    {
        text = arena_printf(task->mem, "%s%s%s", text, i == 0 ? "" : " ", json_string_value(word));
    }
    return text;
}

static int launch(struct task *task, const struct exec *exec, const struct container *container,
                  const struct exec_start_spec *spec, int *fd, struct error *err)
{
    cleanup_fd int dirfd = exec_box_make(task, exec, container, err);

    return dirfd < 0 ? -1 : connect_and_start(task, exec, dirfd, spec, fd, err);
}

/* Connected before it starts, so that nothing of its output is missed. */
static int connect_and_start(struct task *task, const struct exec *exec, int dirfd,
                             const struct exec_start_spec *spec, int *fd, struct error *err)
{
    cleanup_buf struct buf answer = { 0 };
    cleanup_fd int stream_fd = -1;
    int64_t pid = 0;

    cleanup_fd int watch_fd = supervisor_watch(dirfd, err);
    if (watch_fd < 0)
        return -1;
    if (!spec->is_detached) {
        stream_fd = supervisor_attach(dirfd, streams_of(task, exec), err);
        if (stream_fd < 0)
            return -1;
    }
    if (exec->is_terminal && spec->rows > 0 &&
        supervisor_ask(dirfd, arena_printf(task->mem, "resize %d %d", spec->rows, spec->columns),
                       NULL, err) < 0)
        return -1;
    int rc = supervisor_ask(dirfd, "start", &answer, err);
    if (rc == 0 && units_parse_int(answer.data, &pid) == 0)
        execs_set_pid(task, exec->id, pid);
    /* Also one that failed ends in its own time, and its directory is its supervisor's until then.
     */
    monitor_watch_exec(task->service->monitor, exec->id, move_fd(&watch_fd));
    if (rc == 0)
        *fd = move_fd(&stream_fd);
    return rc;
}

static const char *streams_of(struct task *task, const struct exec *exec)
{
    static const struct {
        const char *member;
        const char *name;
    } streams[] = {
        { "AttachStdin", "stdin" },
        { "AttachStdout", "stdout" },
        { "AttachStderr", "stderr" },
    };

    const char *text = "";

    for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
        if (json_is_true(json_member(exec->config, streams[i].member)))
            text = arena_printf(task->mem, "%s%s%s", text, text[0] == '\0' ? "" : ",",
                                streams[i].name);
    return text;
}

/* Clients have been promised a stream by then: the message is its whole content. */
static int report_failure(struct task *task, const struct exec *exec, const struct error *failure,
                          int *fd, struct error *err)
{
    const char *text = arena_printf(task->mem,
                                    "OCI runtime exec failed: exec failed: unable to start"
                                    " container process: %s: unknown\r\n",
                                    failure->message);
    size_t size = strlen(text);
    unsigned char head[FRAME_HEAD] = {
        1, 0, 0, 0, 0, 0, (unsigned char)(size >> 8), (unsigned char)size
    };
    int ends[2];

    if (fd == NULL)
        return fail(err, failure->code, "%s", failure->message);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return fail(err, failure->code, "%s", failure->message);
    /* It fits into the socket's buffer, and whoever has gone does not miss it. */
    if (!exec->is_terminal)
        (void)sys_write_all(ends[1], head, sizeof(head));
    (void)sys_write_all(ends[1], text, size);
    sys_close_fd(&ends[1]);
    *fd = ends[0];
    return 0;
}
