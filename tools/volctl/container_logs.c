/* SPDX-License-Identifier: Apache-2.0 */
/* volctl container logs. */
#include "output.h"
#include "stream.h"
#include "url.h"
#include "verbs.h"

static int logs_path(const struct command *command, const char *id, const char **path,
                     struct error *err);
static int write_json_line(struct stream *stream, enum stream_channel channel, const void *data,
                           size_t size, struct error *err);

int cmd_container_logs(struct command *command, struct error *err)
{
    cleanup_json json_t *container = NULL;
    cleanup_reply struct reply reply = { 0 };
    struct request request = { .method = "GET" };
    bool is_follow = args_has(&command->args, "follow");
    const char *word = command->args.words[0];

    if (command_ask(command, "GET", URL(command->mem, DOCKER_API "/containers/{}/json", word), NULL,
                    &container, err) < 0 ||
        logs_path(command, cell_text(container, "Id"), &request.path, err) < 0 ||
        command_open(command, &request, &reply, err) < 0)
        return -1;
    const json_t *tty = json_object_get(json_object_get(container, "Config"), "Tty");
    cleanup_stream struct stream stream = {
        .reply = &reply,
        .is_raw = json_is_true(tty),
        .signal_fd = -1,
        .write = !command->is_json ? stream_print
                 : is_follow       ? write_json_line
                                   : stream_keep,
        .command = command,
    };
    if (stream_pump(&stream, err) < 0)
        return -1;
    if (command->is_json && !is_follow) {
        cleanup_json json_t *json = json_object();
        stream_set_kept(&stream, json);
        output_json(json);
    }
    return 0;
}

static int logs_path(const struct command *command, const char *id, const char **path,
                     struct error *err)
{
    const struct args *args = &command->args;
    struct arena *mem = command->mem;
    const char *since;
    const char *until;

    if (args_time(args, "since", mem, &since, err) < 0 ||
        args_time(args, "until", mem, &until, err) < 0)
        return -1;
    if (id == NULL)
        return fail(err, ERR_SYSTEM, "the service told a container without an id");
    *path = URL(mem, DOCKER_API "/containers/{}/logs?stdout=1&stderr=1", id);
    *path = url_add(mem, *path, "follow", args_has(args, "follow") ? "1" : NULL);
    *path = url_add(mem, *path, "timestamps", args_has(args, "timestamps") ? "1" : NULL);
    *path = url_add(mem, *path, "tail", args_get(args, "tail"));
    *path = url_add(mem, *path, "since", since);
    *path = url_add(mem, *path, "until", until);
    return 0;
}

static int write_json_line(struct stream *stream, enum stream_channel channel, const void *data,
                           size_t size, struct error *err)
{
    cleanup_json json_t *json = json_object();
    struct arena *mem = stream->command->mem;

    json_set(json, "stream", json_text(channel == STREAM_STDERR ? "stderr" : "stdout"));
    json_set(json, "text", json_text(arena_strndup(mem, data, size)));
    output_json_line(json);
    return output_is_whole() ? 0 : fail(err, ERR_SYSTEM, "cannot write the output");
}
