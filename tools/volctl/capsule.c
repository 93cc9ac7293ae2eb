/* SPDX-License-Identifier: Apache-2.0 */
/* volctl container export, capsule verify and import. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "output.h"
#include "url.h"
#include "verbs.h"

#define PIECE_BYTES  ((size_t)128 << 10)
#define TICK_MS      1000
#define ANSWER_BYTES ((size_t)16 << 20)

static int save(const struct command *command, struct reply *reply, const char *file,
                int64_t *bytes, struct error *err);
static int copy(const struct command *command, struct reply *reply, int fd, int64_t *bytes,
                struct error *err);
static void print_foretold(const json_t *answer);
static int upload(struct command *command, const char *path, json_t **answer, struct error *err);
static int read_renames(const struct command *command, const char **text, struct error *err);

int cmd_container_export(struct command *command, struct error *err)
{
    const char *file = args_get(&command->args, "to");
    cleanup_reply struct reply reply = { 0 };
    struct request request = { .method = "GET" };
    int64_t bytes = 0;

    if (file == NULL)
        return fail(err, ERR_INVALID, "name a file with --to, or '-' for standard output");
    bool is_piped = strcmp(file, "-") == 0;
    if (is_piped && (command->is_json || isatty(STDOUT_FILENO)))
        return fail(err, ERR_INVALID, "a capsule is nothing to read: name a file with --to");
    request.path =
        url_add(command->mem,
                URL(command->mem, "/volumed/v1/containers/{}/capsule", command->args.words[0]),
                "snapshots", args_get(&command->args, "snapshots"));
    if (command_open(command, &request, &reply, err) < 0)
        return -1;
    if (is_piped) /* what is cut off is no capsule to whoever reads it */
        return copy(command, &reply, STDOUT_FILENO, &bytes, err);
    /* A file that is cut off must not be taken for a capsule. */
    if (save(command, &reply, file, &bytes, err) < 0) {
        (void)unlink(file); /* the failure is what is told */
        return -1;
    }
    if (command->is_json) {
        cleanup_json json_t *json = json_pack("{s:s, s:I}", "file", file, "bytes", bytes);
        output_json(json);
    } else if (!command->is_quiet) {
        output_line("%s", file);
    }
    return 0;
}

int cmd_capsule_verify(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    size_t index;
    json_t *volume;

    if (upload(command, "/volumed/v1/capsules/verify", &answer, err) < 0)
        return -1;
    if (command->is_json) {
        output_json(answer);
        return 0;
    }
    const json_t *manifest = json_object_get(answer, "manifest");
    const json_t *container = json_object_get(manifest, "container");
    output_line("whole: container %s of image %s, %s", cell_text(container, "name"),
                cell_text(container, "image"), cell_size(command->mem, answer, "bytes"));
    json_array_foreach(json_object_get(manifest, "volumes"), index, volume)
    {
        output_line("volume %s, %zu snapshots", cell_text(volume, "name"),
                    json_array_size(json_object_get(volume, "snapshots")));
    }
    return 0;
}

int cmd_capsule_import(struct command *command, struct error *err)
{
    cleanup_json json_t *answer = NULL;
    const char *renames = NULL;

    if (read_renames(command, &renames, err) < 0)
        return -1;
    const char *path = url_add(command->mem, "/volumed/v1/capsules", "renames", renames);
    path = url_add(command->mem, path, "pool", args_get(&command->args, "pool"));
    bool is_dry = args_has(&command->args, "dry-run");
    path = url_add(command->mem, path, "dry_run", is_dry ? "true" : NULL);
    if (upload(command, path, &answer, err) < 0)
        return -1;
    if (command->is_json)
        output_json(answer);
    else if (is_dry)
        print_foretold(answer);
    else
        output_line("%s", cell_text(answer, "id"));
    return 0;
}

static void print_foretold(const json_t *answer)
{
    size_t index;
    json_t *volume;

    output_line("would make container %s of image %s", cell_text(answer, "container"),
                cell_text(answer, "image"));
    json_array_foreach(json_object_get(answer, "volumes"), index, volume)
    {
        output_line("would make volume %s of %s, with %lld snapshots", cell_text(volume, "name"),
                    cell_text(volume, "was"),
                    (long long)json_integer_value(json_object_get(volume, "snapshots")));
    }
}

static int save(const struct command *command, struct reply *reply, const char *file,
                int64_t *bytes, struct error *err)
{
    cleanup_fd int fd = sys_openat(AT_FDCWD, file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%s'", file);
    if (copy(command, reply, fd, bytes, err) < 0)
        return error_prefix(err, "'%s'", file);
    int rc = sys_fsync(fd);
    return rc < 0 ? fail_sys(err, rc, "cannot write '%s'", file) : 0;
}

static int copy(const struct command *command, struct reply *reply, int fd, int64_t *bytes,
                struct error *err)
{
    const struct ticker *ticker = progress_ticker(command);
    char *piece = arena_alloc(command->mem, PIECE_BYTES);
    int64_t began_ms = clock_mono_ms();
    int64_t told_ms = began_ms;
    ssize_t got;

    while ((got = reply_read(reply, piece, PIECE_BYTES, err)) > 0) {
        int rc = output_bytes(fd, piece, (size_t)got);
        if (rc < 0)
            return fail_sys(err, rc, "cannot write the capsule");
        *bytes += got;
        if (ticker == NULL || clock_mono_ms() - told_ms < TICK_MS)
            continue;
        told_ms = clock_mono_ms();
        ticker->tick(ticker->context, told_ms - began_ms, *bytes);
    }
    progress_clear();
    return got < 0 ? -1 : 0;
}

static int upload(struct command *command, const char *path, json_t **answer, struct error *err)
{
    const char *file = command->args.words[0];
    cleanup_reply struct reply reply = { 0 };
    cleanup_buf struct buf body = { 0 };
    cleanup_fd int fd = strcmp(file, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                               : sys_openat(AT_FDCWD, file, O_RDONLY, 0);
    struct request request = {
        .method = "POST",
        .path = path,
        .content_type = "application/octet-stream",
        .is_upload = true,
        .body_fd = fd,
        .ticker = progress_ticker(command),
    };

    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%s'", file);
    int status = command_open(command, &request, &reply, err);
    progress_clear();
    if (status < 0 || reply_read_all(&reply, ANSWER_BYTES, &body, err) < 0)
        return -1;
    *answer = json_read(body.data, body.size, err);
    return *answer == NULL ? -1 : 0;
}

/* Repeated OLD=NEW as a JSON object. */
static int read_renames(const struct command *command, const char **text, struct error *err)
{
    cleanup_json json_t *map = args_pairs(&command->args, "rename");
    const char *old;
    json_t *name;

    if (map == NULL)
        return 0;
    json_object_foreach(map, old, name)
    {
        if (json_string_length(name) == 0)
            return fail(err, ERR_INVALID, "option '--rename' takes OLD=NEW, not '%s'", old);
    }
    *text = json_write(command->mem, map);
    return 0;
}
