/* SPDX-License-Identifier: Apache-2.0 */
/* volctl container exec: a further process in a running container, its streams and exit status. */
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "failure.h"
#include "output.h"
#include "stream.h"
#include "url.h"
#include "verbs.h"

#define STATUS_FAILED 125 /* volctl or the service failed; 126 and 127 are in the exec's status */

static int exec(struct command *command, struct error *err);
static int make(const struct command *command, const char **id, struct error *err);
static json_t *exec_body(const struct command *command);
static int start_detached(const struct command *command, const char *id, struct error *err);
static int attach(const struct command *command, struct stream *stream, struct error *err);
static int read_exit_code(const struct command *command, const char *id, int *code,
                          struct error *err);
static void pass_signal(struct stream *stream, int number);
static void send_size(struct stream *stream);
static int take_resize(void);

int cmd_container_exec(struct command *command, struct error *err)
{
    int status = exec(command, err);

    if (status >= 0)
        return status;
    (void)failure_report(command, err); /* its status could be the command's */
    return STATUS_FAILED;
}

static int exec(struct command *command, struct error *err)
{
    cleanup_reply struct reply reply = { 0 };
    cleanup_stream struct stream stream = {
        .reply = &reply,
        .is_raw = args_has(&command->args, "tty"),
        .has_stdin = args_has(&command->args, "interactive"),
        .signal_fd = args_has(&command->args, "tty") ? take_resize() : -1,
        .write = command->is_json ? stream_keep : stream_print,
        .signal = pass_signal,
        .command = command,
    };
    int code = 0;

    if (make(command, &stream.subject, err) < 0)
        return -1;
    if (args_has(&command->args, "detach"))
        return start_detached(command, stream.subject, err);
    int rc = attach(command, &stream, err);
    terminal_restore();
    if (rc < 0 || read_exit_code(command, stream.subject, &code, err) < 0)
        return -1;
    if (command->is_json) {
        cleanup_json json_t *json =
            json_pack("{s:s, s:i}", "id", stream.subject, "exit_code", code);
        stream_set_kept(&stream, json);
        output_json(json);
    }
    return code;
}

static int make(const struct command *command, const char **id, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    const char *path = URL(command->mem, DOCKER_API "/containers/{}/exec", command->args.words[0]);

    if (command_ask(command, "POST", path, exec_body(command), &answer, err) < 0)
        return -1;
    *id = arena_strdup(command->mem, cell_text(answer, "Id"));
    return *id != NULL ? 0 : fail(err, ERR_SYSTEM, "the service made an exec without an id");
}

static json_t *exec_body(const struct command *command)
{
    const struct args *args = &command->args;
    bool is_attached = !args_has(args, "detach");
    json_t *body = json_object();
    json_t *words = json_array();
    json_t *env = args_list(args, "env");

    for (int i = 1; i < args->word_count; i++)
        json_array_append_new(words, json_text(args->words[i]));
    json_set(body, "Cmd", words);
    json_set(body, "AttachStdin", json_boolean(is_attached && args_has(args, "interactive")));
    json_set(body, "AttachStdout", json_boolean(is_attached));
    json_set(body, "AttachStderr", json_boolean(is_attached));
    json_set(body, "Tty", json_boolean(args_has(args, "tty")));
    json_set(body, "Privileged", json_boolean(args_has(args, "privileged")));
    if (env != NULL)
        json_set(body, "Env", env);
    if (args_has(args, "user"))
        json_set(body, "User", json_text(args_get(args, "user")));
    if (args_has(args, "workdir"))
        json_set(body, "WorkingDir", json_text(args_get(args, "workdir")));
    return body;
}

static int start_detached(const struct command *command, const char *id, struct error *err)
{
    json_t *body = json_pack("{s:b}", "Detach", 1);

    if (command_ask(command, "POST", URL(command->mem, DOCKER_API "/exec/{}/start", id), body, NULL,
                    err) < 0)
        return -1;
    if (command->is_json) {
        cleanup_json json_t *json = json_pack("{s:s}", "id", id);
        output_json(json);
    }
    return 0;
}

static int attach(const struct command *command, struct stream *stream, struct error *err)
{
    const char *body =
        stream->is_raw ? "{\"Detach\":false,\"Tty\":true}" : "{\"Detach\":false,\"Tty\":false}";
    struct request request = {
        .method = "POST",
        .path = URL(command->mem, DOCKER_API "/exec/{}/start", stream->subject),
        .content_type = "application/json",
        .body = body,
        .body_size = strlen(body),
        .is_upgrade = true,
    };

    if (stream->is_raw && terminal_make_raw(err) < 0)
        return -1;
    if (command_open(command, &request, stream->reply, err) < 0)
        return -1;
    if (stream->is_raw)
        send_size(stream);
    if (!stream->has_stdin)
        (void)shutdown(stream->reply->fd, SHUT_WR); /* the service sees that nothing will come */
    return stream_pump(stream, err);
}

static int read_exit_code(const struct command *command, const char *id, int *code,
                          struct error *err)
{
    cleanup_json json_t *answer = NULL;

    if (command_ask(command, "GET", URL(command->mem, DOCKER_API "/exec/{}/json", id), NULL,
                    &answer, err) < 0)
        return -1;
    if (!json_is_integer(json_object_get(answer, "ExitCode")))
        return fail(err, ERR_SYSTEM, "the service did not tell how the command ended");
    *code = (int)json_integer_value(json_object_get(answer, "ExitCode"));
    return 0;
}

static void pass_signal(struct stream *stream, int number)
{
    if (number == SIGWINCH)
        send_size(stream);
}

static void send_size(struct stream *stream)
{
    terminal_send_size(stream->command,
                       URL(stream->command->mem, DOCKER_API "/exec/{}/resize", stream->subject));
}

/* -1, the size stays as it is, is not worth giving up an exec. */
static int take_resize(void)
{
    sigset_t set;

    (void)sigemptyset(&set); /* these fail on bad arguments alone */
    (void)sigaddset(&set, SIGWINCH);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}
