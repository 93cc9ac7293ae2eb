/* SPDX-License-Identifier: Apache-2.0 */
/* volctl file ls, cat, tar, restore: looking into volumes and snapshots, and taking back. */
#include "file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "lines.h"
#include "output.h"
#include "url.h"
#include "verbs.h"

#define PIECE_BYTES    ((size_t)64 << 10)
#define JSON_BYTES_MAX ((size_t)16 << 20)

static json_t *restore_body(const struct args *args, const char *snapshot);
static void print_restored(const json_t *answer);
static int add_entry(void *context, const char *text, size_t size, struct error *err);
static int by_name(const void *left, const void *right);
static void print_entries(const struct command *command, const json_t *entries);
static const char *mode_text(struct arena *mem, const json_t *entry);
static int cat_one(struct command *command, const char *path, struct error *err);
static int cat_json(struct command *command, struct reply *reply, const char *path,
                    struct error *err);

int cmd_file_ls(struct command *command, struct error *err)
{
    cleanup_json json_t *entries = json_array();
    cleanup_reply struct reply reply = { 0 };
    struct request request = { .method = "GET" };

    if (file_request_path(command, "/volumed/v1/volumes/{}/files", command->args.words[0],
                          command->args.words[1], &request.path, err) < 0 ||
        command_open(command, &request, &reply, err) < 0 ||
        lines_each(&reply, add_entry, entries, err) < 0)
        return -1;
    size_t count = json_array_size(entries);
    json_t **sorted = arena_array(command->mem, count + 1, sizeof(json_t *));
    for (size_t i = 0; i < count; i++)
        sorted[i] = json_array_get(entries, i);
    qsort(sorted, count, sizeof(json_t *), by_name);
    cleanup_json json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append(list, sorted[i]);
    if (command->is_json)
        output_json(list);
    else
        print_entries(command, list);
    return 0;
}

int cmd_file_cat(struct command *command, struct error *err)
{
    for (int i = 1; i < command->args.word_count; i++)
        if (cat_one(command, command->args.words[i], err) < 0)
            return -1;
    return 0;
}

int cmd_file_tar(struct command *command, struct error *err)
{
    const char *file = args_get(&command->args, "output");
    cleanup_reply struct reply reply = { 0 };
    struct request request = { .method = "GET" };
    int64_t bytes = 0;

    if (file == NULL && (command->is_json || isatty(STDOUT_FILENO)))
        return fail(err, ERR_INVALID, "name a file with --output, or send the output to a pipe");
    if (file_request_path(command, "/volumed/v1/volumes/{}/files/archive", command->args.words[0],
                          command->args.words[1], &request.path, err) < 0 ||
        command_open(command, &request, &reply, err) < 0)
        return -1;
    cleanup_fd int fd = file == NULL
                            ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                            : sys_openat(AT_FDCWD, file, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%s'", file != NULL ? file : "standard output");
    if (file_copy_reply(&reply, fd, &bytes, err) < 0)
        return -1;
    if (command->is_json) {
        cleanup_json json_t *json = json_pack("{s:s, s:I}", "file", file, "bytes", bytes);
        output_json(json);
    }
    return 0;
}

int cmd_file_restore(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    const char *volume;
    const char *snapshot;

    if (split_snapshot(command->mem, command->args.words[0], true, &volume, &snapshot, err) < 0)
        return -1;
    const char *path = URL(command->mem, "/volumed/v1/volumes/{}/files/restore", volume);
    if (command_ask(command, "POST", path, restore_body(&command->args, snapshot), &answer, err) <
        0)
        return -1;
    if (command->is_json)
        output_json(answer);
    else if (!command->is_quiet)
        print_restored(answer);
    return 0;
}

int file_request_path(struct command *command, const char *pattern, const char *word,
                      const char *inside, const char **request, struct error *err)
{
    const char *volume;
    const char *snapshot;

    if (split_snapshot(command->mem, word, false, &volume, &snapshot, err) < 0)
        return -1;
    const char *url = URL(command->mem, pattern, volume);
    url = url_add(command->mem, url, "snapshot", snapshot);
    *request = url_add(command->mem, url, "path", inside);
    return 0;
}

int file_copy_reply(struct reply *reply, int fd, int64_t *bytes, struct error *err)
{
    cleanup_buf struct buf piece = { 0 };
    char *room = buf_reserve(&piece, PIECE_BYTES);

    for (;;) {
        ssize_t count = reply_read(reply, room, PIECE_BYTES, err);
        if (count <= 0)
            return (int)count;
        int rc = sys_write_all(fd, room, (size_t)count);
        if (rc < 0)
            return fail_sys(err, rc, "cannot write the output");
        *bytes += count;
    }
}

static json_t *restore_body(const struct args *args, const char *snapshot)
{
    json_t *body = json_object();
    json_t *paths = json_array();

    for (int i = 1; i < args->word_count; i++)
        json_add(paths, json_text(args->words[i]));
    json_set(body, "snapshot", json_text(snapshot));
    json_set(body, "paths", paths);
    json_set(body, "to", json_text(args_get(args, "to")));
    json_set(body, "replace", json_boolean(args_has(args, "replace")));
    json_set(body, "dry_run", json_boolean(args_has(args, "dry-run")));
    return body;
}

static void print_restored(const json_t *answer)
{
    bool is_dry_run = json_is_true(json_object_get(answer, "dry_run"));
    size_t index;
    json_t *item;

    json_array_foreach(json_object_get(answer, "restored"), index, item)
    {
        bool is_replaced = json_is_true(json_object_get(item, "replaced"));
        output_line("%s%s%s", is_dry_run ? "would restore " : "", cell_text(item, "target"),
                    is_replaced ? ", in the place of what was there" : "");
    }
}

static int add_entry(void *context, const char *text, size_t size, struct error *err)
{
    json_t *entries = context;
    json_t *entry = json_read(text, size, err);

    if (entry == NULL)
        return -1;
    json_add(entries, entry);
    return 0;
}

static int by_name(const void *left, const void *right)
{
    const json_t *const *a = left;
    const json_t *const *b = right;
    const char *left_name = cell_text(*a, "name");
    const char *right_name = cell_text(*b, "name");

    return strcmp(left_name != NULL ? left_name : "", right_name != NULL ? right_name : "");
}

static void print_entries(const struct command *command, const json_t *entries)
{
    static const char *const titles[] = { "MODE", "OWNER", "SIZE", "MODIFIED", "NAME", NULL };
    struct arena *mem = command->mem;
    struct table table;
    size_t index;
    json_t *entry;

    table_begin(&table, mem, titles);
    json_array_foreach(entries, index, entry)
    {
        const char *name = cell_text(entry, "name");
        const char *target = cell_text(entry, "link_target");
        if (command->is_quiet) {
            output_line("%s", name);
            continue;
        }
        table_cell(&table, mode_text(mem, entry));
        table_cell(&table, arena_printf(mem, "%s:%s", cell_int(mem, entry, "uid"),
                                        cell_int(mem, entry, "gid")));
        table_cell(&table, cell_int(mem, entry, "size"));
        table_cell(&table, arena_strndup(mem, cell_text(entry, "modified"), 19));
        table_cell(&table, target == NULL ? name : arena_printf(mem, "%s -> %s", name, target));
    }
    if (!command->is_quiet)
        table_print(&table);
}

/* "drwxr-xr-x" */
static const char *mode_text(struct arena *mem, const json_t *entry)
{
    static const struct {
        const char *kind;
        char letter;
    } kinds[] = { { "directory", 'd' }, { "link", 'l' },   { "device", 'c' },
                  { "fifo", 'p' },      { "socket", 's' }, { "file", '-' } };

    static const struct {
        unsigned long bit;
        int at;
        char letter; /* where it may be executed too */
        char large;
    } bits[] = { { 04000, 3, 's', 'S' }, { 02000, 6, 's', 'S' }, { 01000, 9, 't', 'T' } };

    const char *kind = cell_text(entry, "kind");
    unsigned long mode = strtoul(cell_text(entry, "mode"), NULL, 8);
    char *text = arena_strdup(mem, "?rwxrwxrwx");

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (kind != NULL && strcmp(kinds[i].kind, kind) == 0)
            text[0] = kinds[i].letter;
    for (int i = 0; i < 9; i++)
        if ((mode & (0400UL >> i)) == 0)
            text[i + 1] = '-';
    for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
        if ((mode & bits[i].bit) != 0 && text[bits[i].at] == 'x')
            text[bits[i].at] = bits[i].letter;
        else if ((mode & bits[i].bit) != 0)
            text[bits[i].at] = bits[i].large;
    return text;
}

static int cat_one(struct command *command, const char *path, struct error *err)
{
    cleanup_reply struct reply reply = { 0 };
    struct request request = { .method = "GET" };
    int64_t bytes = 0;

    if (file_request_path(command, "/volumed/v1/volumes/{}/files/content", command->args.words[0],
                          path, &request.path, err) < 0 ||
        command_open(command, &request, &reply, err) < 0)
        return -1;
    return command->is_json ? cat_json(command, &reply, path, err)
                            : file_copy_reply(&reply, STDOUT_FILENO, &bytes, err);
}

static int cat_json(struct command *command, struct reply *reply, const char *path,
                    struct error *err)
{
    cleanup_buf struct buf body = { 0 };

    (void)command;
    if (reply_read_all(reply, JSON_BYTES_MAX, &body, err) < 0)
        return -1;
    json_t *text = json_stringn(body.size > 0 ? body.data : "", body.size);
    if (text == NULL)
        return fail(err, ERR_INVALID, "'%s' is not UTF-8 text, which JSON needs", path);
    cleanup_json json_t *json = json_object();
    json_set(json, "path", json_text(path));
    json_set(json, "text", text);
    output_json(json);
    return 0;
}
