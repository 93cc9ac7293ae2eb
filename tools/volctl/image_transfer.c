/* SPDX-License-Identifier: Apache-2.0 */
/* volctl image load, import, save: archives in and out. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "lines.h"
#include "output.h"
#include "url.h"
#include "verbs.h"

#define PIECE_BYTES ((size_t)64 << 10)

/* What the service tells of its work, line by line. */
struct report {
    const struct command *command;
    json_t *images; /* loaded */
    const char *id; /* of the last status: an import's image */
};

static int open_input(const char *word, struct error *err);
static int upload(struct command *command, const char *path, int fd, struct report *report,
                  struct error *err);
static int read_report(void *context, const char *text, size_t size, struct error *err);
static void add_loaded(struct report *report, const char *text);
static int copy_reply(struct reply *reply, int fd, int64_t *bytes, struct error *err);

int cmd_image_load(struct command *command, struct error *err)
{
    const char *word = command->args.words[0];
    cleanup_json json_t *images = json_array();
    struct report report = { .command = command, .images = images };
    cleanup_fd int fd = open_input(word != NULL ? word : "-", err);

    if (fd < 0 || upload(command, DOCKER_API "/images/load?quiet=1", fd, &report, err) < 0)
        return -1;
    if (command->is_json) {
        cleanup_json json_t *json = json_pack("{s:O}", "images", images);
        output_json(json);
    }
    return 0;
}

int cmd_image_import(struct command *command, struct error *err)
{
    struct arena *mem = command->mem;
    const char *path = DOCKER_API "/images/create?fromSrc=-";
    struct report report = { .command = command };
    const char *repo = NULL;
    const char *tag = NULL;
    const char *change;

    cleanup_fd int fd = open_input(command->args.words[0], err);
    if (fd < 0)
        return -1;
    if (command->args.word_count > 1)
        split_tag(mem, command->args.words[1], &repo, &tag);
    path = url_add(mem, path, "repo", repo);
    path = url_add(mem, path, "tag", tag);
    path = url_add(mem, path, "message", args_get(&command->args, "message"));
    for (int i = 0; (change = args_nth(&command->args, "change", i)) != NULL; i++)
        path = url_add(mem, path, "changes", change);
    if (upload(command, path, fd, &report, err) < 0)
        return -1;
    if (command->is_json) {
        cleanup_json json_t *json = json_object();
        json_set(json, "id", json_text(report.id));
        output_json(json);
    } else {
        output_line("%s", report.id != NULL ? report.id : "");
    }
    return 0;
}

int cmd_image_save(struct command *command, struct error *err)
{
    const char *file = args_get(&command->args, "output");
    cleanup_reply struct reply reply = { 0 };
    struct request request = { .method = "GET", .path = DOCKER_API "/images/get" };
    int64_t bytes = 0;

    if (file == NULL && (command->is_json || isatty(STDOUT_FILENO)))
        return fail(err, ERR_INVALID, "name a file with --output, or send the output to a pipe");
    for (int i = 0; i < command->args.word_count; i++)
        request.path = url_add(command->mem, request.path, "names", command->args.words[i]);
    if (command_open(command, &request, &reply, err) < 0)
        return -1;
    cleanup_fd int fd = file == NULL
                            ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                            : sys_openat(AT_FDCWD, file, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%s'", file != NULL ? file : "standard output");
    if (copy_reply(&reply, fd, &bytes, err) < 0)
        return -1;
    if (command->is_json) {
        cleanup_json json_t *json = json_pack("{s:s, s:I}", "file", file, "bytes", bytes);
        output_json(json);
    }
    return 0;
}

static int open_input(const char *word, struct error *err)
{
    int fd = strcmp(word, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                    : sys_openat(AT_FDCWD, word, O_RDONLY, 0);

    return fd < 0 ? fail_sys(err, fd, "cannot open '%s'", word) : fd;
}

static int upload(struct command *command, const char *path, int fd, struct report *report,
                  struct error *err)
{
    cleanup_reply struct reply reply = { 0 };
    struct request request = {
        .method = "POST",
        .path = path,
        .content_type = "application/x-tar",
        .is_upload = true,
        .body_fd = fd,
        .ticker = progress_ticker(command),
    };

    if (command_open(command, &request, &reply, err) < 0)
        return -1;
    return lines_each(&reply, read_report, report, err);
}

static int read_report(void *context, const char *text, size_t size, struct error *err)
{
    struct report *report = context;
    cleanup_json json_t *line = json_read(text, size, err);

    if (line == NULL)
        return -1;
    const char *message = cell_text(line, "error");
    const char *code = cell_text(line, "code");
    if (message != NULL)
        return fail(err, code != NULL ? error_code_find(code) : ERR_SYSTEM, "%s", message);
    if (cell_text(line, "stream") != NULL)
        add_loaded(report, cell_text(line, "stream"));
    if (cell_text(line, "status") != NULL)
        report->id = arena_strdup(report->command->mem, cell_text(line, "status"));
    return 0;
}

/* "Loaded image: busybox:latest\n" */
static void add_loaded(struct report *report, const char *text)
{
    const char *colon = strstr(text, ": ");
    const char *name = arena_strndup(report->command->mem, text, strcspn(text, "\r\n"));

    if (colon != NULL)
        name = arena_strndup(report->command->mem, colon + 2, strcspn(colon + 2, "\r\n"));
    if (report->images != NULL)
        json_array_append_new(report->images, json_text(name));
    if (!report->command->is_json)
        output_line("%s", name);
}

static int copy_reply(struct reply *reply, int fd, int64_t *bytes, struct error *err)
{
    cleanup_buf struct buf piece = { 0 };
    char *room = buf_reserve(&piece, PIECE_BYTES);

    for (;;) {
        ssize_t count = reply_read(reply, room, PIECE_BYTES, err);
        if (count <= 0)
            return (int)count;
        int rc = sys_write_all(fd, room, (size_t)count);
        if (rc < 0)
            return fail_sys(err, rc, "cannot write the archive");
        *bytes += count;
    }
}
