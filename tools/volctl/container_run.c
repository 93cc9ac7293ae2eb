/* SPDX-License-Identifier: Apache-2.0 */
/*
 * volctl container run.  The order of requests is that of Docker's clients: attach and wait before
 * start, so that neither output nor exit is missed.
 */
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sys.h"
#include "container_shape.h"
#include "failure.h"
#include "output.h"
#include "stream.h"
#include "url.h"
#include "verbs.h"

#define STATUS_FAILED         125 /* as docker: volctl or the service failed, … */
#define STATUS_NOT_EXECUTABLE 126 /* … the command cannot be run, … */
#define STATUS_NOT_FOUND      127 /* … or is not there */

static int run_detached(struct command *command, struct error *err);
static int run_attached(struct command *command, struct error *err);
static int start(const struct command *command, const char *id, struct error *err);
static int start_failure(const struct command *command, const struct error *err);
static int open_attach(const struct command *command, const char *id, struct reply *reply,
                       struct error *err);
static int open_wait(const struct command *command, const char *id, struct reply *reply,
                     struct error *err);
static int read_exit_code(struct reply *reply, int *code, struct error *err);
static void pass_signal(struct stream *stream, int number);
static int take_signals(bool is_terminal);
static int pump(struct stream *stream, struct error *err);
static void print_result(const struct stream *stream, int code);

int cmd_container_run(struct command *command, struct error *err)
{
    int status = args_has(&command->args, "detach") ? run_detached(command, err)
                                                    : run_attached(command, err);

    if (status >= 0)
        return status;
    (void)failure_report(command, err); /* its status could be the container's */
    return STATUS_FAILED;
}

static int run_detached(struct command *command, struct error *err)
{
    const char *id;

    if (container_make(command, false, &id, err) < 0)
        return -1;
    if (start(command, id, err) < 0)
        return start_failure(command, err);
    if (command->is_json) {
        cleanup_json json_t *json = json_pack("{s:s}", "id", id);
        output_json(json);
    } else {
        output_line("%s", id);
    }
    return 0;
}

static int run_attached(struct command *command, struct error *err)
{
    cleanup_reply struct reply attach = { 0 };
    cleanup_reply struct reply wait = { 0 };
    const char *id;
    int code = 0;

    if (args_has(&command->args, "tty") && terminal_make_raw(err) < 0)
        return -1;
    terminal_restore(); /* only tried: until the start, Ctrl-C is ours */
    if (container_make(command, true, &id, err) < 0 || open_attach(command, id, &attach, err) < 0 ||
        open_wait(command, id, &wait, err) < 0)
        return -1;
    cleanup_stream struct stream stream = {
        .reply = &attach,
        .is_raw = args_has(&command->args, "tty"),
        .has_stdin = args_has(&command->args, "interactive"),
        .signal_fd = take_signals(args_has(&command->args, "tty")),
        .write = command->is_json ? stream_keep : stream_print,
        .signal = pass_signal,
        .command = command,
        .subject = id,
    };
    if (start(command, id, err) < 0)
        return start_failure(command, err);
    if (pump(&stream, err) < 0 || read_exit_code(&wait, &code, err) < 0)
        return -1;
    if (command->is_json)
        print_result(&stream, code);
    return code;
}

static int start(const struct command *command, const char *id, struct error *err)
{
    return command_ask(command, "POST", URL(command->mem, DOCKER_API "/containers/{}/start", id),
                       NULL, NULL, err) < 0
               ? -1
               : 0;
}

/* Docker's API tells these failures by their words alone, and its own client reads them so. */
static int start_failure(const struct command *command, const struct error *err)
{
    static const struct {
        const char *words;
        int status;
    } rows[] = {
        { "executable file not found", STATUS_NOT_FOUND },
        { "no such file or directory", STATUS_NOT_FOUND },
        { "permission denied", STATUS_NOT_EXECUTABLE },
        { "is a directory", STATUS_NOT_EXECUTABLE },
    };

    (void)failure_report(command, err); /* the statuses here are those of shells */
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strstr(err->message, rows[i].words) != NULL)
            return rows[i].status;
    return STATUS_FAILED;
}

static int open_attach(const struct command *command, const char *id, struct reply *reply,
                       struct error *err)
{
    const char *path =
        URL(command->mem, DOCKER_API "/containers/{}/attach?stream=1&stdout=1&stderr=1", id);
    struct request request = {
        .method = "POST",
        .path = url_add(command->mem, path, "stdin",
                        args_has(&command->args, "interactive") ? "1" : NULL),
        .is_upgrade = true,
    };

    if (command_open(command, &request, reply, err) < 0)
        return -1;
    if (!args_has(&command->args, "interactive"))
        (void)shutdown(reply->fd, SHUT_WR); /* the service sees that nothing will come */
    return 0;
}

static int open_wait(const struct command *command, const char *id, struct reply *reply,
                     struct error *err)
{
    const char *condition = args_has(&command->args, "rm") ? "removed" : "next-exit";
    struct request request = {
        .method = "POST",
        .path = URL(command->mem, DOCKER_API "/containers/{}/wait?condition={}", id, condition),
    };

    return command_open(command, &request, reply, err);
}

static int read_exit_code(struct reply *reply, int *code, struct error *err)
{
    cleanup_buf struct buf text = { 0 };

    if (reply_read_all(reply, (size_t)1 << 20, &text, err) < 0)
        return -1;
    cleanup_json json_t *answer = text.size > 0 ? json_read(text.data, text.size, err) : NULL;
    if (answer == NULL)
        return fail(err, ERR_SYSTEM, "the service did not tell how the container ended");
    const char *message = cell_text(json_object_get(answer, "Error"), "Message");
    if (message != NULL && *message != '\0')
        return fail(err, ERR_SYSTEM, "%s", message);
    *code = (int)json_integer_value(json_object_get(answer, "StatusCode"));
    return 0;
}

static void pass_signal(struct stream *stream, int number)
{
    struct arena *mem = stream->command->mem;
    struct error err;

    if (number == SIGWINCH) {
        terminal_send_size(stream->command,
                           URL(mem, DOCKER_API "/containers/{}/resize", stream->subject));
        return;
    }
    const char *path = URL(mem, DOCKER_API "/containers/{}/kill", stream->subject);
    path = url_add(mem, path, "signal", arena_printf(mem, "%d", number));
    (void)command_ask(stream->command, "POST", path, NULL, NULL, &err); /* it may be gone */
}

/* -1, no signals are passed on, is not worth giving up a run. */
static int take_signals(bool is_terminal)
{
    sigset_t set;

    (void)sigemptyset(&set); /* these four fail on bad arguments alone */
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    if (is_terminal)
        (void)sigaddset(&set, SIGWINCH);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static int pump(struct stream *stream, struct error *err)
{
    if (stream->is_raw && terminal_make_raw(err) < 0)
        return -1;
    if (stream->is_raw)
        terminal_send_size(
            stream->command,
            URL(stream->command->mem, DOCKER_API "/containers/{}/resize", stream->subject));
    int rc = stream_pump(stream, err);
    terminal_restore();
    return rc;
}

static void print_result(const struct stream *stream, int code)
{
    cleanup_json json_t *json = json_pack("{s:s, s:i}", "id", stream->subject, "exit_code", code);

    stream_set_kept(stream, json);
    output_json(json);
}
