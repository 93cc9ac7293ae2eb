/* SPDX-License-Identifier: Apache-2.0 */
/* volctl system. */
#include "failure.h"
#include "output.h"
#include "verbs.h"

static void print_findings(const struct command *command, const json_t *answer);
static void df_row(struct table *table, const char *type, const json_t *list,
                   int64_t (*size_of)(const json_t *item));
static void df_total(struct table *table, const char *type, const json_t *total);
static int64_t image_size(const json_t *image);
static int64_t container_size(const json_t *container);
static int64_t volume_size(const json_t *volume);

int cmd_system_info(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;

    if (command_ask(command, "GET", "/volumed/v1/system", NULL, &answer, err) < 0)
        return -1;
    if (command->is_json)
        output_json(answer);
    else if (!command->is_quiet)
        output_members(answer);
    return 0;
}

int cmd_system_check(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    json_t *body = json_pack("{s:b}", "repair", args_has(&command->args, "repair"));

    if (command_ask(command, "POST", "/volumed/v1/system/check", body, &answer, err) < 0)
        return -1;
    if (command->is_json)
        output_json(answer);
    else
        print_findings(command, answer);
    return json_is_true(json_object_get(answer, "clean")) ? 0 : exit_status(ERR_CORRUPT);
}

int cmd_system_df(struct command *command, struct error *err)
{
    static const char *const titles[] = { "TYPE", "COUNT", "SIZE", NULL };
    cleanup_json json_t *answer = NULL;
    struct table table;

    if (command_ask(command, "GET", DOCKER_API "/system/df", NULL, &answer, err) < 0)
        return -1;
    if (command->is_json) {
        output_json(answer);
        return 0;
    }
    table_begin(&table, command->mem, titles);
    df_row(&table, "images", json_object_get(answer, "Images"), image_size);
    df_row(&table, "containers", json_object_get(answer, "Containers"), container_size);
    df_row(&table, "volumes", json_object_get(answer, "Volumes"), volume_size);
    df_total(&table, "trash", json_object_get(answer, "Trash"));
    if (!command->is_quiet)
        table_print(&table);
    return 0;
}

int cmd_system_version(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;

    if (command_ask(command, "GET", "/volumed/v1/system/version", NULL, &answer, err) < 0)
        return -1;
    if (command->is_json) {
        cleanup_json json_t *json =
            json_pack("{s:s, s:O}", "client", VOLUMED_VERSION, "server", answer);
        output_json(json);
    } else if (command->is_quiet) {
        output_line("%s", cell_text(answer, "version"));
    } else {
        output_line("volctl  %s", VOLUMED_VERSION);
        output_line("volumed %s", cell_text(answer, "version"));
    }
    return 0;
}

static void print_findings(const struct command *command, const json_t *answer)
{
    const json_t *findings = json_object_get(answer, "findings");
    size_t index;
    json_t *finding;

    json_array_foreach(findings, index, finding)
    {
        bool is_repaired = json_is_true(json_object_get(finding, "repaired"));
        bool can_repair = json_is_true(json_object_get(finding, "repairable"));
        output_line("%s: %s (%s)", cell_text(finding, "kind"), cell_text(finding, "text"),
                    is_repaired  ? "repaired"
                    : can_repair ? "--repair would put it right"
                                 : "needs a person");
    }
    if (json_array_size(findings) == 0 && !command->is_quiet)
        output_line("nothing is amiss");
}

static void df_row(struct table *table, const char *type, const json_t *list,
                   int64_t (*size_of)(const json_t *item))
{
    cleanup_json json_t *row = json_object();
    int64_t total = 0;
    size_t index;
    json_t *item;

    json_array_foreach(list, index, item) total += size_of(item) > 0 ? size_of(item) : 0;
    json_set(row, "count", json_integer((json_int_t)json_array_size(list)));
    json_set(row, "size", json_integer(total));
    table_cell(table, type);
    table_cell(table, cell_int(table->mem, row, "count"));
    table_cell(table, cell_size(table->mem, row, "size"));
}

/* What the service has added up itself. */
static void df_total(struct table *table, const char *type, const json_t *total)
{
    table_cell(table, type);
    table_cell(table, cell_int(table->mem, total, "Count"));
    table_cell(table, cell_size(table->mem, total, "Size"));
}

static int64_t image_size(const json_t *image)
{
    return json_integer_value(json_object_get(image, "Size"));
}

static int64_t container_size(const json_t *container)
{
    return json_integer_value(json_object_get(container, "SizeRw"));
}

static int64_t volume_size(const json_t *volume)
{
    return json_integer_value(json_object_get(json_object_get(volume, "UsageData"), "Size"));
}
