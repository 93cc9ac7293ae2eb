/* SPDX-License-Identifier: Apache-2.0 */
/* volctl container recreate, rollback, commit, undo and history. */
#include "recreate.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "container_shape.h"
#include "output.h"
#include "url.h"
#include "verbs.h"

#define LOOK_MS 100

static int set_terms(const struct command *command, json_t *body, struct error *err);
static void print_begun(const struct command *command, const json_t *recreation);
static int conclude(const struct command *command, const json_t *recreation);
static void print_committed(const struct command *command, const json_t *recreation);
static void print_plan(const struct command *command, const json_t *recreation);
static int decide(struct command *command, const char *verb, struct error *err);
static int find_probation(struct command *command, const char **id, struct error *err);
static const char *names(struct arena *mem, const json_t *recreation);
static const char *lasted(struct arena *mem, const json_t *item);
static const char *changed(struct arena *mem, const json_t *changes);
static void print_written(const struct command *command, const json_t *report);

int cmd_container_recreate(struct command *command, struct error *err)
{
    const struct args *args = &command->args;
    int count = args->dashes_at >= 0 ? args->dashes_at : args->word_count;
    json_t *members = json_object();

    if (count == 0 || (count > 1 && count < args->word_count)) {
        json_decref(members);
        return fail(err, ERR_INVALID,
                    "give one container to run another command in, or several without a command");
    }
    for (int i = 0; i < count; i++) {
        const char *equals = strchr(args->words[i], '=');
        const char *image = equals != NULL ? equals + 1 : args_get(args, "image");
        json_t *change = container_change(command, image, count, err);
        if (change == NULL) {
            json_decref(members);
            return -1;
        }
        json_set(members, arena_strndup(command->mem, args->words[i], strcspn(args->words[i], "=")),
                 json_pack("{s:o}", "change", change));
    }
    return recreation_run(command, members, err);
}

int cmd_container_rollback(struct command *command, struct error *err)
{
    int64_t number = -1;

    if (args_int(&command->args, "to", &number, err) < 0)
        return -1;
    return recreation_run(
        command, json_pack("{s:{s:I}}", command->args.words[0], "generation", (json_int_t)number),
        err);
}

int cmd_container_commit(struct command *command, struct error *err)
{
    return decide(command, "commit", err);
}

int cmd_container_undo(struct command *command, struct error *err)
{
    return decide(command, "undo", err);
}

int cmd_container_history(struct command *command, struct error *err)
{
    static const char *const titles[] = { "GENERATION", "OUTCOME",  "IMAGE",  "IMAGE ID",
                                          "CREATED",    "REPLACED", "LASTED", "SNAPSHOT",
                                          "CHANGED",    NULL };
    cleanup_json json_t *answer = NULL;
    struct table table;
    size_t index;
    json_t *item;

    const char *path =
        URL(command->mem, "/volumed/v1/containers/{}/generations", command->args.words[0]);
    if (command_ask(command, "GET", path, NULL, &answer, err) < 0)
        return -1;
    const json_t *list = json_object_get(answer, "generations");
    if (command->is_json) {
        output_json(list);
        return 0;
    }
    table_begin(&table, command->mem, titles);
    json_array_foreach(list, index, item)
    {
        const char *id = cell_text(item, "image_id");
        const char *set = cell_text(item, "set");
        table_cell(&table, cell_int(command->mem, item, "number"));
        table_cell(&table, cell_text(item, "outcome"));
        table_cell(&table, cell_text(item, "image"));
        table_cell(&table, id == NULL ? NULL : arena_printf(command->mem, "%.19s", id));
        table_cell(&table, cell_ago_ms(command->mem, item, "created_ms"));
        table_cell(&table, json_is_integer(json_object_get(item, "retired_ms"))
                               ? cell_ago_ms(command->mem, item, "retired_ms")
                               : NULL);
        table_cell(&table, lasted(command->mem, item));
        table_cell(&table, set == NULL || set[0] == '\0' ? NULL : set);
        table_cell(&table, changed(command->mem, json_object_get(item, "changes")));
    }
    table_print(&table);
    return 0;
}

static const char *lasted(struct arena *mem, const json_t *item)
{
    char text[UNITS_TEXT_SIZE];

    units_format_ago(json_integer_value(json_object_get(item, "lasted_ms")), text);
    return arena_strdup(mem, text);
}

static const char *changed(struct arena *mem, const json_t *changes)
{
    const char *text = NULL;
    size_t index;
    json_t *change;

    json_array_foreach(changes, index, change) text =
        arena_printf(mem, "%s%s%s", text != NULL ? text : "", text != NULL ? "," : "",
                     cell_text(change, "option"));
    return text;
}

int recreation_follow(struct command *command, json_t **recreation, struct error *err)
{
    const char *path = URL(command->mem, RECREATIONS "/{}", cell_text(*recreation, "id"));
    const char *told = "";

    for (;;) {
        const char *state = arena_strdup(command->mem, cell_text(*recreation, "state"));
        const json_t *plan = json_object_get(*recreation, "plan");
        bool waits = strcmp(state, "probation") == 0 &&
                     json_integer_value(json_object_get(plan, "probation_ms")) < 0;
        if (strcmp(state, told) != 0)
            output_note(command, "%s", state);
        told = state;
        if (recreation_is_over(*recreation) || waits)
            return 0;
        (void)poll(NULL, 0, LOOK_MS); /* sleeps */
        json_decref(*recreation);
        *recreation = NULL;
        if (command_ask(command, "GET", path, NULL, recreation, err) < 0)
            return -1;
    }
}

bool recreation_is_over(const json_t *recreation)
{
    const char *state = cell_text(recreation, "state");

    return state != NULL && (strcmp(state, "committed") == 0 || strcmp(state, "rolled_back") == 0);
}

int recreation_set_probation(const struct command *command, json_t *body, struct error *err)
{
    const struct args *args = &command->args;
    const char *probation = args_get(args, "probation");
    int64_t ms = -1;

    if (probation != NULL && strcmp(probation, "manual") == 0)
        json_set(body, "manual", json_true());
    else if (args_duration_ms(args, "probation", &ms, err) < 0)
        return -1;
    if (ms >= 0)
        json_set(body, "probation_ms", json_integer(ms));
    if (args_has(args, "probe"))
        json_set(body, "probe", json_text(args_get(args, "probe")));
    return 0;
}

int recreation_run(struct command *command, json_t *members, struct error *err)
{
    json_t *body = json_object();
    json_t *begun = NULL;

    json_set(body, "members", members);
    if (set_terms(command, body, err) < 0) {
        json_decref(body);
        return -1;
    }
    if (command_ask(command, "POST", RECREATIONS, body, &begun, err) < 0)
        return -1;
    int status = 0;
    if (args_has(&command->args, "dry-run"))
        print_plan(command, begun);
    else if (args_has(&command->args, "detach"))
        print_begun(command, begun);
    else if ((status = recreation_follow(command, &begun, err)) == 0)
        status = conclude(command, begun);
    json_decref(begun);
    return status;
}

static int set_terms(const struct command *command, json_t *body, struct error *err)
{
    const struct args *args = &command->args;
    int64_t keep = -1;

    if (recreation_set_probation(command, body, err) < 0)
        return -1;
    if (strcmp(command->verb->name, "rehearse") == 0) /* its --keep is another */
        return 0;
    if (args_int(args, "keep", &keep, err) < 0)
        return -1;
    if (keep >= 0)
        json_set(body, "keep", json_integer(keep));
    if (args_has(args, "keep-new-data-as"))
        json_set(body, "keep_new_data_as", json_text(args_get(args, "keep-new-data-as")));
    json_set(body, "no_snapshot", json_boolean(args_has(args, "no-snapshot")));
    json_set(body, "dry_run", json_boolean(args_has(args, "dry-run")));
    return 0;
}

static void print_begun(const struct command *command, const json_t *recreation)
{
    if (command->is_json)
        output_json(recreation);
    else
        output_line("%s", cell_text(recreation, "id"));
}

static int conclude(const struct command *command, const json_t *recreation)
{
    const char *state = cell_text(recreation, "state");

    if (command->is_json)
        output_json(recreation);
    if (strcmp(state, "rolled_back") != 0) {
        if (!command->is_json)
            print_committed(command, recreation);
        return 0;
    }
    if (!command->is_json) {
        const char *set = cell_text(recreation, "failed_set");
        output_line("%s: rolled back: %s", names(command->mem, recreation),
                    cell_text(recreation, "reason"));
        if (set != NULL && set[0] != '\0')
            output_line("what the new one had written is in set '%s'", set);
        print_written(command, json_object_get(recreation, "report"));
    }
    return EXIT_ROLLED_BACK;
}

static void print_committed(const struct command *command, const json_t *recreation)
{
    const json_t *report = json_object_get(recreation, "report");
    const char *state = cell_text(recreation, "state");
    const char *set = cell_text(recreation, "set");

    output_line("%s: %s", names(command->mem, recreation), state);
    if (command->is_quiet)
        return;
    output_line("downtime %lld ms%s%s",
                (long long)json_integer_value(json_object_get(report, "downtime_ms")),
                set != NULL && set[0] != '\0' ? ", earlier data in set " : "",
                set != NULL ? set : "");
    print_written(command, report);
    if (strcmp(state, "probation") == 0)
        output_line("decide with 'volctl container commit' or 'volctl container undo'");
}

static void print_written(const struct command *command, const json_t *report)
{
    const char *bytes = cell_size(command->mem, report, "bytes_written");

    if (bytes != NULL)
        output_line("written in probation: %s in %lld new and %lld changed files", bytes,
                    (long long)json_integer_value(json_object_get(report, "files_added")),
                    (long long)json_integer_value(json_object_get(report, "files_changed")));
}

static void print_plan(const struct command *command, const json_t *recreation)
{
    const json_t *volumes = json_object_get(json_object_get(recreation, "plan"), "volumes");

    if (command->is_json) {
        output_json(recreation);
        return;
    }
    output_line("%s: could be replaced, %zu volumes would be cut", names(command->mem, recreation),
                json_array_size(volumes));
}

static int decide(struct command *command, const char *verb, struct error *err)
{
    const char *id = NULL;
    json_t *answer = NULL;

    if (find_probation(command, &id, err) < 0)
        return -1;
    const char *path = URL(command->mem, RECREATIONS "/{}/{}", id, verb);
    if (command_ask(command, "POST", path, json_object(), &answer, err) < 0)
        return -1;
    path = URL(command->mem, RECREATIONS "/{}", id);
    while (!recreation_is_over(answer)) {
        (void)poll(NULL, 0, LOOK_MS); /* sleeps */
        json_decref(answer);
        answer = NULL;
        if (command_ask(command, "GET", path, NULL, &answer, err) < 0)
            return -1;
    }
    int status = conclude(command, answer);
    json_decref(answer);
    /* That it was taken back is what was asked for. */
    return strcmp(verb, "undo") == 0 ? 0 : status;
}

static int find_probation(struct command *command, const char **id, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    const char *path = url_add(command->mem, RECREATIONS, "container", command->args.words[0]);
    size_t index;
    json_t *item;

    if (command_ask(command, "GET", path, NULL, &answer, err) < 0)
        return -1;
    json_array_foreach(json_object_get(answer, "recreations"), index, item)
    {
        if (!recreation_is_over(item)) {
            *id = arena_strdup(command->mem, cell_text(item, "id"));
            return 0;
        }
    }
    return fail(err, ERR_CONFLICT, "it is in no probation");
}

static const char *names(struct arena *mem, const json_t *recreation)
{
    const char *text = "";
    size_t index;
    json_t *member;

    json_array_foreach(json_object_get(recreation, "members"), index, member) text =
        arena_printf(mem, "%s%s%s", text, index > 0 ? " " : "", cell_text(member, "name"));
    return text;
}
