/* SPDX-License-Identifier: Apache-2.0 */
/* volctl event: a list, and a stream that can go on where it was. */
#include <string.h>
#include <time.h>

#include "lines.h"
#include "output.h"
#include "url.h"
#include "verbs.h"

#define RECONNECT_NS 500000000L

struct follower {
    struct command *command;
    int64_t after; /* the last number seen; -1: none yet */
};

static int events_path(const struct command *command, const char *base, const char **path,
                       struct error *err);
static int follow_once(struct follower *follower, struct error *err);
static int follow_line(void *context, const char *text, size_t size, struct error *err);
static const char *event_text(struct arena *mem, const json_t *event);

int cmd_event_ls(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    const char *path;
    size_t index;
    json_t *event;

    if (events_path(command, "/volumed/v1/events", &path, err) < 0)
        return -1;
    path = url_add(command->mem, path, "limit", args_get(&command->args, "limit"));
    if (command_ask(command, "GET", path, NULL, &answer, err) < 0)
        return -1;
    const json_t *events = json_object_get(answer, "events");
    if (command->is_json) {
        output_json(events);
        return 0;
    }
    json_array_foreach(events, index, event)
    {
        if (command->is_quiet)
            output_line("%s", cell_int(command->mem, event, "seq"));
        else
            output_line("%s", event_text(command->mem, event));
    }
    return 0;
}

int cmd_event_follow(struct command *command, struct error *err)
{
    struct follower follower = { .command = command, .after = -1 };
    static const struct timespec pause = { .tv_nsec = RECONNECT_NS };

    for (;;) {
        int rc = follow_once(&follower, err);
        if (!args_has(&command->args, "reconnect") || !output_is_whole())
            return rc;
        if (rc < 0 && err->code == ERR_INVALID)
            return -1;
        (void)nanosleep(&pause, NULL); /* cut short is soon enough */
    }
}

static int events_path(const struct command *command, const char *base, const char **path,
                       struct error *err)
{
    const char *since;

    if (args_time(&command->args, "since", command->mem, &since, err) < 0)
        return -1;
    *path = url_add(command->mem, base, "after", args_get(&command->args, "after"));
    *path = url_add(command->mem, *path, "since", since);
    return 0;
}

static int follow_once(struct follower *follower, struct error *err)
{
    struct command *command = follower->command;
    cleanup_reply struct reply reply = { 0 };
    struct request request = { .method = "GET", .path = "/volumed/v1/events/stream" };

    if (follower->after >= 0)
        request.path = url_add(command->mem, request.path, "after",
                               arena_printf(command->mem, "%lld", (long long)follower->after));
    else if (events_path(command, request.path, &request.path, err) < 0)
        return -1;
    if (command_open(command, &request, &reply, err) < 0)
        return -1;
    return lines_each(&reply, follow_line, follower, err);
}

static int follow_line(void *context, const char *text, size_t size, struct error *err)
{
    struct follower *follower = context;
    cleanup_arena struct arena *mem = arena_new();
    cleanup_json json_t *event = json_read(text, size, err);

    if (event == NULL)
        return -1;
    follower->after = json_integer_value(json_object_get(event, "seq"));
    if (follower->command->is_json)
        output_json_line(event);
    else if (follower->command->is_quiet)
        output_line("%s", cell_int(mem, event, "seq"));
    else
        output_line("%s", event_text(mem, event));
    return output_is_whole() ? 0 : 1;
}

/* "17 2026-11-24T08:09:10.123Z volume create data (id, driver=local)" */
static const char *event_text(struct arena *mem, const json_t *event)
{
    const char *pairs = cell_pairs(mem, event, "attributes");

    return arena_printf(mem, "%s %s %s %s %s%s%s", cell_int(mem, event, "seq"),
                        cell_text(event, "time"), cell_text(event, "type"),
                        cell_text(event, "action"), cell_text(event, "object_id"),
                        pairs != NULL ? " " : "", pairs != NULL ? pairs : "");
}
