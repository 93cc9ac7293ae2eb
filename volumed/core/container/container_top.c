/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's top: the host's ps, and of its lines those of the container's processes. */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "core/box/box_control.h"
#include "core/container/container.h"
#include "runtime/program.h"

#define PS_OUTPUT_MAX (4 << 20)
#define PS_WORDS_MAX  32
#define FIELDS_MAX    64

struct words {
    const char *items[FIELDS_MAX];
    size_t count;
};

static int run_ps(struct task *task, const char *ps_args, char **output, struct error *err);
static int split_args(struct task *task, const char *text, const char **argv, struct error *err);
static struct words split_line(struct task *task, const char *line, size_t max);
static int build(struct task *task, char *output, const char *pids, json_t **top,
                 struct error *err);
static bool is_listed(const char *pids, const char *pid);
static json_t *words_json(const struct words *words);

int container_top(struct task *task, const char *ref, const char *ps_args, json_t **top,
                  struct error *err)
{
    cleanup_container struct container container = { 0 };
    const char *pids;
    char *output;

    if (container_get(task, ref, &container, err) < 0)
        return -1;
    if (!container_is_live(&container))
        return fail(err, ERR_CONFLICT, "Container %s is not running", container.id);
    if (box_ask(task, container.id, "pids", &pids, err) < 0 ||
        run_ps(task, ps_args == NULL || ps_args[0] == '\0' ? "-ef" : ps_args, &output, err) < 0)
        return -1;
    return build(task, output, pids, top, err);
}

static int run_ps(struct task *task, const char *ps_args, char **output, struct error *err)
{
    const char *argv[PS_WORDS_MAX + 2] = { "ps" };
    struct program ps = { .argv = argv };
    cleanup_buf struct buf buf = { 0 };
    int exit_code;

    if (split_args(task, ps_args, argv + 1, err) < 0 ||
        program_run(&ps, PS_OUTPUT_MAX, &buf, &exit_code, err) < 0)
        return -1;
    if (buf.size == 0)
        buf_text(&buf, "");
    *output = arena_strdup(task->mem, buf.data);
    if (exit_code != 0)
        return fail(err, ERR_INVALID, "ps: %s", *output);
    return 0;
}

static int split_args(struct task *task, const char *text, const char **argv, struct error *err)
{
    size_t count = 0;

    for (;;) {
        text += strspn(text, " \t");
        size_t length = strcspn(text, " \t");
        if (length == 0)
            return 0;
        if (count == PS_WORDS_MAX)
            return fail(err, ERR_INVALID, "too many arguments for ps");
        argv[count++] = arena_strndup(task->mem, text, length);
        text += length;
    }
}

/* At most 'max' words; the last takes the rest of the line. */
static struct words split_line(struct task *task, const char *line, size_t max)
{
    struct words words = { 0 };

    while (words.count < max) {
        line += strspn(line, " \t");
        if (line[0] == '\0')
            break;
        size_t length = words.count + 1 == max ? strlen(line) : strcspn(line, " \t");
        words.items[words.count++] = arena_strndup(task->mem, line, length);
        line += length;
    }
    return words;
}

static int build(struct task *task, char *output, const char *pids, json_t **top, struct error *err)
{
    char *rest = output;
    struct words titles = split_line(task, strsep(&rest, "\n"), FIELDS_MAX);
    size_t pid_column = 0;

    while (pid_column < titles.count && strcmp(titles.items[pid_column], "PID") != 0)
        pid_column++;
    if (pid_column == titles.count)
        return fail(err, ERR_INVALID, "Couldn't find PID field in ps output");
    json_t *processes = json_array();
    while (rest != NULL) {
        struct words words = split_line(task, strsep(&rest, "\n"), titles.count);
        if (words.count > pid_column && is_listed(pids, words.items[pid_column]))
            json_array_append_new(processes, words_json(&words));
    }
    *top = json_pack("{so so}", "Titles", words_json(&titles), "Processes", processes);
    return 0;
}

/* In a list of numbers with spaces between them. */
static bool is_listed(const char *pids, const char *pid)
{
    size_t length = strlen(pid);

    while (pids[0] != '\0') {
        size_t here = strcspn(pids, " ");
        if (here == length && memcmp(pids, pid, length) == 0)
            return true;
        pids += here + strspn(pids + here, " ");
    }
    return false;
}

static json_t *words_json(const struct words *words)
{
    json_t *list = json_array();

    for (size_t i = 0; i < words->count; i++)
        json_array_append_new(list, json_text(words->items[i]));
    return list;
}
