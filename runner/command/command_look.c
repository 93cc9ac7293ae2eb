/* SPDX-License-Identifier: Apache-2.0 */
/* state, list, ps, events: commands that tell. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/units.h"
#include "runner/command/command.h"

#define NS_PER_S    1000000000LL
#define INTERVAL_NS (5 * NS_PER_S)

static int print_json(const json_t *json, size_t flags);
static json_t *list_containers(struct arena *mem, const char *root, struct error *err);
static void print_table(const json_t *list);
static json_t *event(const struct container *container, struct error *err);
static int print_ps(struct arena *mem, const struct options *options, const pid_t *pids,
                    size_t count, struct error *err);
static bool is_wanted(const char *line, size_t column, const pid_t *pids, size_t count);

int command_open(struct arena *mem, const struct options *options, struct container **container,
                 struct error *err)
{
    return container_open(mem, options->root, options->args[0], container, err);
}

int command_state(struct arena *mem, struct options *options, struct error *err)
{
    cleanup_container struct container *container = NULL;

    if (command_open(mem, options, &container, err) < 0)
        return -1;
    cleanup_json json_t *state = container_state_json(container, container_status(container));
    return print_json(state, JSON_INDENT(2));
}

int command_list(struct arena *mem, struct options *options, struct error *err)
{
    cleanup_json json_t *list = list_containers(mem, options->root, err);
    size_t index;
    json_t *item;

    if (list == NULL)
        return -1;
    if (options->format != NULL && strcmp(options->format, "json") == 0)
        return print_json(list, 0);
    if (!options->is_quiet) {
        print_table(list);
        return 0;
    }
    json_array_foreach(list, index, item)(void)
        puts(json_string_value(json_object_get(item, "id")));
    return 0;
}

int command_ps(struct arena *mem, struct options *options, struct error *err)
{
    cleanup_container struct container *container = NULL;
    pid_t *pids = NULL;
    size_t count = 0;

    if (command_open(mem, options, &container, err) < 0 ||
        container_pids(mem, container, &pids, &count, err) < 0)
        return -1;
    if (options->format == NULL || strcmp(options->format, "json") != 0)
        return print_ps(mem, options, pids, count, err);
    cleanup_json json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(list, json_integer(pids[i])) < 0)
            return fail(err, ERR_SYSTEM, "out of memory");
    return print_json(list, 0);
}

int command_events(struct arena *mem, struct options *options, struct error *err)
{
    cleanup_container struct container *container = NULL;
    int64_t interval_ns = INTERVAL_NS;

    if (options->interval != NULL && units_parse_duration(options->interval, &interval_ns) < 0)
        return fail(err, ERR_INVALID, "invalid interval '%s'", options->interval);
    if (command_open(mem, options, &container, err) < 0)
        return -1;
    for (;;) {
        struct timespec pause = { .tv_sec = interval_ns / NS_PER_S,
                                  .tv_nsec = interval_ns % NS_PER_S };
        enum container_status status = container_status(container);
        if (status == CONTAINER_STOPPED)
            return options->is_stats ? fail(err, ERR_CONFLICT, "container not running") : 0;
        cleanup_json json_t *line = event(container, err);
        if (line == NULL || print_json(line, JSON_COMPACT) < 0)
            return -1;
        if (options->is_stats)
            return 0;
        (void)nanosleep(&pause, NULL); /* woken early is only told early */
    }
}

static json_t *event(const struct container *container, struct error *err)
{
    json_t *data = container_stats(container, err);

    if (data == NULL)
        return NULL;
    json_t *line = json_object();
    json_set(line, "type", json_string("stats"));
    json_set(line, "id", json_text(container->id));
    json_set(line, "data", data);
    return line;
}

static int print_json(const json_t *json, size_t flags)
{
    if (json_dumpf(json, stdout, flags) < 0 || putchar('\n') == EOF)
        return EXIT_FAILURE; /* nobody reads */
    (void)fflush(stdout);
    return EXIT_SUCCESS;
}

/* One that is gone, or half-made, while we look is left out. */
static json_t *list_containers(struct arena *mem, const char *root, struct error *err)
{
    json_t *list = json_array();
    cleanup_dir DIR *dir = opendir(root);

    if (dir == NULL && errno != ENOENT) {
        json_decref(list);
        (void)fail_sys(err, -errno, "cannot read '%s'", root);
        return NULL;
    }
    for (const struct dirent *entry; dir != NULL && (entry = dir_next(dir)) != NULL;) {
        cleanup_container struct container *container = NULL;
        struct error ignored;
        if (entry->d_name[0] == '.' ||
            container_open(mem, root, entry->d_name, &container, &ignored) < 0)
            continue;
        (void)json_array_append_new(list,
                                    container_state_json(container, container_status(container)));
    }
    return list;
}

static void print_table(const json_t *list)
{
    size_t index;
    json_t *item;

    (void)printf("%-24s %-8s %-10s %-40s %-32s %s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED",
                 "OWNER");
    json_array_foreach(list, index, item)(void) printf(
        "%-24s %-8lld %-10s %-40s %-32s %s\n", json_string_value(json_object_get(item, "id")),
        (long long)json_integer_value(json_object_get(item, "pid")),
        json_string_value(json_object_get(item, "status")),
        json_string_value(json_object_get(item, "bundle")),
        json_string_value(json_object_get(item, "created")),
        json_string_value(json_object_get(item, "owner")));
}

/* The host's ps, its header, and the lines whose PID is the container's. */
static int print_ps(struct arena *mem, const struct options *options, const pid_t *pids,
                    size_t count, struct error *err)
{
    cleanup_buf struct buf command = { 0 };
    char *line = NULL;
    size_t capacity = 0;
    size_t column = 0;
    bool is_header = true;

    const char *words = options->arg_count > 1 ? options->args[1] : "-ef";
    for (int i = 2; i < options->arg_count; i++)
        words = arena_printf(mem, "%s %s", words, options->args[i]);
    if (strspn(words, "-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ,=%0123456789 ") !=
        strlen(words))
        return fail(err, ERR_INVALID, "invalid options for ps: '%s'", words);
    buf_printf(&command, "exec ps %s", words);
    FILE *output = popen(command.data, "re"); /* no shell syntax passed the check */
    if (output == NULL)
        return fail_sys(err, -errno, "cannot run ps");
    while (getline(&line, &capacity, output) >= 0) {
        const char *pid = is_header ? strstr(line, "PID") : NULL;
        if (pid != NULL)
            column = (size_t)(pid - line) + strlen("PID");
        if (is_header || is_wanted(line, column, pids, count))
            (void)fputs(line, stdout);
        is_header = false;
    }
    free(line);
    return pclose(output) == 0 ? 0 : fail(err, ERR_SYSTEM, "ps failed");
}

/* PIDs are right-aligned: the number that ends where the header's word does. */
static bool is_wanted(const char *line, size_t column, const pid_t *pids, size_t count)
{
    size_t start = column;

    if (column == 0 || strlen(line) < column)
        return false;
    while (start > 0 && line[start - 1] != ' ')
        start--;
    long pid = strtol(line + start, NULL, 10);
    for (size_t i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}
