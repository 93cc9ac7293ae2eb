/* SPDX-License-Identifier: Apache-2.0 */
/* volctl container rehearse. */
#include <string.h>

#include "container_shape.h"
#include "output.h"
#include "recreate.h"
#include "url.h"
#include "verbs.h"

static int fix_image(struct command *command, json_t *change, struct error *err);
static int promote(struct command *command, json_t *change, struct error *err);
static int conclude(struct command *command, const json_t *recreation);
static void print_verdict(const struct command *command, const json_t *recreation, bool is_good);
static void print_report(const struct command *command, const json_t *report);

int cmd_container_rehearse(struct command *command, struct error *err)
{
    const struct args *args = &command->args;
    int words = args->dashes_at >= 0 ? args->dashes_at : 1;
    cleanup_json json_t *change = NULL;
    cleanup_json json_t *body = json_object();
    json_t *recreation = NULL;
    int64_t freeze_ms = 0;

    if (words != 1)
        return fail(err, ERR_INVALID, "give one container");
    change = container_change(command, args_get(args, "image"), words, err);
    if (change == NULL || fix_image(command, change, err) < 0 ||
        args_duration_ms(args, "freeze-timeout", &freeze_ms, err) < 0 ||
        recreation_set_probation(command, body, err) < 0)
        return -1;
    json_set(body, "freeze_timeout_ms", json_integer(freeze_ms));
    json_object_set(body, "change", change);
    json_set(body, "network", json_boolean(args_has(args, "with-network")));
    json_set(body, "keep", json_boolean(args_has(args, "keep")));
    const char *path = URL(command->mem, "/volumed/v1/containers/{}/rehearsals", args->words[0]);
    if (command_ask(command, "POST", path, json_incref(body), &recreation, err) < 0)
        return -1;
    int status = recreation_follow(command, &recreation, err);
    if (status == 0)
        status = conclude(command, recreation);
    json_decref(recreation);
    return status == 0 && args_has(args, "promote") ? promote(command, change, err) : status;
}

/* What is promoted must be what was rehearsed, whatever the name means by then. */
static int fix_image(struct command *command, json_t *change, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    const char *name = json_string_value(json_object_get(change, "Image"));

    if (name == NULL) {
        cleanup_json json_t *container = NULL;
        const char *path =
            URL(command->mem, DOCKER_API "/containers/{}/json", command->args.words[0]);
        if (command_ask(command, "GET", path, NULL, &container, err) < 0)
            return -1;
        name = arena_strdup(command->mem, cell_text(json_object_get(container, "Config"), "Image"));
    }
    if (!args_has(&command->args, "promote") || name == NULL)
        return 0;
    const char *path = URL(command->mem, DOCKER_API "/images/{}/json", name);
    if (command_ask(command, "GET", path, NULL, &answer, err) < 0)
        return -1;
    json_object_set(change, "Image", json_object_get(answer, "Id"));
    return 0;
}

static int promote(struct command *command, json_t *change, struct error *err)
{
    json_t *members = json_object();

    json_set(members, command->args.words[0], json_pack("{s:O}", "change", change));
    return recreation_run(command, members, err);
}

static int conclude(struct command *command, const json_t *recreation)
{
    bool is_good = strcmp(cell_text(recreation, "state"), "committed") == 0;

    if (!command->is_json)
        print_verdict(command, recreation, is_good);
    else if (!is_good || !args_has(&command->args, "promote"))
        output_json(recreation); /* one document: with --promote the recreation's */
    return is_good ? 0 : EXIT_ROLLED_BACK;
}

static void print_verdict(const struct command *command, const json_t *recreation, bool is_good)
{
    const json_t *report = json_object_get(recreation, "report");
    double seconds = (double)json_integer_value(json_object_get(report, "healthy_ms")) / 1000;

    if (is_good)
        output_line("%s: passed after %.1f s", command->args.words[0], seconds);
    else
        output_line("%s: failed after %.1f s: %s", command->args.words[0], seconds,
                    cell_text(recreation, "reason"));
    if (!command->is_quiet)
        print_report(command, report);
    if (args_has(&command->args, "keep"))
        output_line("kept as container %s",
                    cell_text(json_array_get(json_object_get(recreation, "members"), 0), "name"));
}

static void print_report(const struct command *command, const json_t *report)
{
    const char *log = cell_text(report, "log_tail");
    size_t index;
    json_t *path;

    if (json_object_get(report, "files_added") != NULL)
        output_line("files: %s added, %s changed, %s removed; %s written",
                    cell_int(command->mem, report, "files_added"),
                    cell_int(command->mem, report, "files_changed"),
                    cell_int(command->mem, report, "files_removed"),
                    cell_size(command->mem, report, "bytes_written"));
    json_array_foreach(json_object_get(report, "seed_drift"), index, path)
    {
        output_line("the image has, and the volume lacks: %s", json_string_value(path));
    }
    for (const char *line = log; line != NULL && *line != '\0';) {
        size_t length = strcspn(line, "\n");
        output_line("log: %.*s", (int)length, line);
        line += length + (line[length] == '\n' ? 1 : 0);
    }
}
