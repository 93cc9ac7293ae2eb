/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a container's log while its supervisor writes it: the rotated files from the oldest on,
 * then the present one.  A follower is woken when something happens in the box, in which the log
 * grows, is rotated, and in which the file 'exit' appears after the last line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "core/box/box.h"
#include "core/box/monitor.h"
#include "core/container/container.h"
#include "core/container/container_io.h"
#include "core/container/log_line.h"
#include "core/container/log_watch.h"
#include "core/service.h"

#define PIECE_SIZE    65536
#define ROTATIONS_MAX 100

struct log_reader {
    struct log_spec spec;
    bool is_raw;
    int box_fd;
    struct log_watch *watch;
    int bell_fd;        /* -1: does not follow */
    int file_fd;        /* -1: none yet */
    int rotation;       /* of file_fd: 0 is the present file */
    bool has_ended;     /* 'exit' was seen: what is in the file now is all */
    struct buf pending; /* read, but not yet a whole line */
};

static int check_driver(const struct container *container, struct error *err);
static int open_files(struct log_reader *reader, struct error *err);
static void seek_tail(struct log_reader *reader);
static int open_rotation(const struct log_reader *reader, int rotation);
static int step(struct log_reader *reader, struct buf *out);
static int take_lines(struct log_reader *reader, struct buf *out);
static int at_end_of_file(struct log_reader *reader);
static bool is_rotated(const struct log_reader *reader);

int log_open(struct task *task, const char *ref, const struct log_spec *spec,
             struct log_reader **reader, struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (!spec->has_stdout && !spec->has_stderr)
        return fail(err, ERR_INVALID, "Bad parameters: you must choose at least one stream");
    if (container_get(task, ref, &container, err) < 0 || check_driver(&container, err) < 0)
        return -1;
    struct log_reader *made = mem_alloc(sizeof(*made));
    *made = (struct log_reader){
        .spec = *spec,
        .is_raw = json_is_true(json_object_get(container.config, "Tty")),
        .box_fd = box_open(task, container.id, err),
        .watch = monitor_log_watch(task->service->monitor),
        .bell_fd = -1,
        .file_fd = -1,
    };
    made->spec.is_follow = spec->is_follow && container_is_live(&container);
    if (made->box_fd < 0 || open_files(made, err) < 0) {
        log_close(made);
        return -1;
    }
    *reader = made;
    return 0;
}

int log_fd(const struct log_reader *reader)
{
    return reader->bell_fd;
}

bool log_is_raw(const struct log_reader *reader)
{
    return reader->is_raw;
}

int log_read(struct log_reader *reader, struct buf *out)
{
    size_t before = out->size;
    eventfd_t ignored;

    if (reader->bell_fd >= 0)
        (void)eventfd_read(reader->bell_fd, &ignored); /* EAGAIN: it did not ring */
    for (;;) {
        int rc = step(reader, out);
        if (rc != 1 || out->size - before >= PIECE_SIZE)
            return rc;
    }
}

void log_close(struct log_reader *reader)
{
    if (reader == NULL)
        return;
    sys_close_fd(&reader->box_fd);
    if (reader->bell_fd >= 0)
        log_watch_leave(reader->watch, reader->bell_fd);
    sys_close_fd(&reader->file_fd);
    buf_done(&reader->pending);
    free(reader);
}

static int check_driver(const struct container *container, struct error *err)
{
    const json_t *log = json_object_get(container->host_config, "LogConfig");
    const char *type = json_string_value(json_object_get(log, "Type"));

    if (type != NULL && strcmp(type, "none") == 0)
        return fail(err, ERR_UNSUPPORTED, "configured logging driver does not support reading");
    return 0;
}

/* The watch comes first, so that nothing is written between the look and the watch. */
static int open_files(struct log_reader *reader, struct error *err)
{
    if (reader->spec.is_follow)
        reader->bell_fd = log_watch_join(reader->watch, reader->box_fd, err);
    if (reader->spec.is_follow && reader->bell_fd < 0)
        return -1;
    if (reader->spec.tail >= 0) {
        seek_tail(reader);
        return 0;
    }
    for (int i = ROTATIONS_MAX; i >= 0 && reader->file_fd < 0; i--) {
        reader->file_fd = open_rotation(reader, i);
        reader->rotation = i;
    }
    if (reader->file_fd < 0)
        reader->rotation = 0;
    return 0;
}

/* From the present file back through the rotated ones until there are enough lines. */
static void seek_tail(struct log_reader *reader)
{
    int64_t wanted = reader->spec.tail;

    for (int i = 0; i <= ROTATIONS_MAX; i++) {
        int64_t found = 0;
        int fd = open_rotation(reader, i);
        if (fd < 0 && i > 0)
            return;
        if (fd < 0)
            continue; /* nothing written since the rotation */
        int64_t offset = log_tail_offset(fd, wanted, &found);
        (void)lseek(fd, offset > 0 ? offset : 0, SEEK_SET); /* of a regular file */
        sys_close_fd(&reader->file_fd);
        reader->file_fd = fd;
        reader->rotation = i;
        wanted -= found;
        if (wanted <= 0)
            return;
    }
}

static int open_rotation(const struct log_reader *reader, int rotation)
{
    cleanup_arena struct arena *mem = arena_new();
    const char *name =
        rotation == 0 ? "container.log" : arena_printf(mem, "container.log.%d", rotation);

    return sys_openat(reader->box_fd, name, O_RDONLY | O_NOFOLLOW, 0);
}

/* 1: go on; 0: wait; -1: the end. */
static int step(struct log_reader *reader, struct buf *out)
{
    if (reader->file_fd < 0) {
        reader->file_fd = open_rotation(reader, 0);
        reader->rotation = 0;
        if (reader->file_fd < 0)
            return at_end_of_file(reader);
    }
    char *room = buf_reserve(&reader->pending, PIECE_SIZE);
    ssize_t got = sys_read(reader->file_fd, room, PIECE_SIZE);
    if (got < 0)
        return -1;
    if (got == 0)
        return at_end_of_file(reader);
    reader->pending.size += (size_t)got;
    return take_lines(reader, out);
}

static int take_lines(struct log_reader *reader, struct buf *out)
{
    size_t used = 0;
    int rc = 1;

    for (;;) {
        const char *line = reader->pending.data + used;
        const char *newline = memchr(line, '\n', reader->pending.size - used);
        if (newline == NULL)
            break;
        used += (size_t)(newline - line) + 1;
        if (log_line_append(line, (size_t)(newline - line), &reader->spec, reader->is_raw, out) <
            0) {
            rc = -1; /* past 'until' */
            break;
        }
    }
    buf_consume(&reader->pending, used);
    return rc;
}

static int at_end_of_file(struct log_reader *reader)
{
    if (reader->rotation > 0) {
        sys_close_fd(&reader->file_fd);
        reader->rotation--;
        reader->file_fd = open_rotation(reader, reader->rotation);
        return 1;
    }
    if (reader->file_fd >= 0 && is_rotated(reader)) {
        sys_close_fd(&reader->file_fd);
        return 1;
    }
    if (!reader->spec.is_follow || reader->has_ended)
        return -1;
    /* The supervisor writes the last line before it writes 'exit': one more look at the file. */
    struct stat st;
    int rc = sys_fstatat(reader->box_fd, "exit", &st, 0);
    struct stat box;
    bool is_gone = fstat(reader->box_fd, &box) < 0 || box.st_nlink == 0;
    if (rc == -ENOENT && !is_gone)
        return 0;
    reader->has_ended = true;
    return 1;
}

static bool is_rotated(const struct log_reader *reader)
{
    struct stat now;
    struct stat mine;

    return reader->spec.is_follow && sys_fstatat(reader->box_fd, "container.log", &now, 0) == 0 &&
           fstat(reader->file_fd, &mine) == 0 && now.st_ino != mine.st_ino;
}
