/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Always the whole file, streamed: a lost line would be worse than some megabytes.  The numbers of
 * events tell when there is something to write; the time that writing took, how soon again.
 */
#include "core/pool/pool_mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/thread.h"
#include "core/operation/event.h"
#include "core/pool/pool.h"
#include "driver/driver.h"
#include "store/mirror.h"

#define MIRROR_TMP  "." MIRROR_FILE ".new"
#define FILE_MODE   0600
#define PIECE_BYTES ((size_t)256 << 10)
#define LINE_MAX    ((size_t)4 << 20)
#define REST_FACTOR 50      /* of the time that writing took: two percent of it at most */
#define REFRESH_MS  3600000 /* also without an event */

struct writer {
    int fd;
    struct buf buf;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards: the next three, and the files */
static int64_t mirrored_seq = -1; /* of the last event that is in all pools' files; -1: not known */
static int64_t next_ms;           /* monotonic: not before */
static int64_t refresh_ms;        /* monotonic: whatever has changed */

static int write_if_changed(struct task *task, struct error *err);
static int write_all(struct task *task, int64_t seq, struct error *err);
static bool is_current(struct task *task, int meta_fd);
static int write_pool(struct task *task, const struct driver_pool *pool, int64_t seq,
                      struct error *err);
static int write_rows(struct task *task, const struct driver_pool *pool, int64_t seq, int fd,
                      struct error *err);
static int add_row(void *context, const char *table, const json_t *row, struct error *err);
static int write_out(struct writer *writer, struct error *err);
static void writer_done(struct writer *writer);
static void file_done(FILE **file);
static int open_mirror(int meta_fd, FILE **file, struct error *err);

int pool_mirror_tend(struct task *task, struct error *err)
{
    LOCK_SCOPE(&lock);
    int64_t began_ms = clock_mono_ms();

    if (began_ms < next_ms)
        return 0;
    int rc = write_if_changed(task, err);
    int64_t now_ms = clock_mono_ms();
    next_ms = now_ms + (now_ms - began_ms) * REST_FACTOR;
    return rc;
}

void pool_mirror_reset(void)
{
    LOCK_SCOPE(&lock);
    mirrored_seq = -1;
    next_ms = 0;
}

int pool_mirror_flush(struct task *task, struct error *err)
{
    LOCK_SCOPE(&lock);

    return write_if_changed(task, err);
}

int pool_mirror_read(int meta_fd, mirror_line_fn each, void *context, struct error *err)
{
    CLEANUP(file_done) FILE *file = NULL;
    char *line = NULL;
    size_t capacity = 0;
    int64_t format = 0;
    int rc = 0;

    if (open_mirror(meta_fd, &file, err) < 0)
        return -1;
    for (int number = 0; rc == 0; number++) {
        ssize_t size = getline(&line, &capacity, file);
        struct error ignored; /* a torn line is no line */
        if (size < 0 || (size_t)size > LINE_MAX)
            break;
        cleanup_json json_t *json = json_read(line, (size_t)size, &ignored);
        if (json == NULL)
            continue;
        if (number > 0)
            rc = each(context, json, err);
        else if (json_get_int(json, "format", &format, err) < 0 || format != MIRROR_FORMAT)
            rc = fail(err, ERR_UNSUPPORTED, "format %lld of '" MIRROR_FILE "' is not known",
                      (long long)format);
    }
    free(line);
    return rc;
}

static int write_if_changed(struct task *task, struct error *err)
{
    int64_t changes = 0;
    int64_t seq = 0;

    if (event_last(task, &seq, err) < 0)
        return -1;
    bool is_due = mirrored_seq < 0 || clock_mono_ms() >= refresh_ms;
    if (!is_due && store_mirror_changes(task->db, mirrored_seq, &changes, err) < 0)
        return -1;
    if (!is_due && changes == 0)
        return 0;
    if (write_all(task, seq, err) < 0)
        return -1;
    mirrored_seq = seq;
    refresh_ms = clock_mono_ms() + REFRESH_MS;
    return 0;
}

/* A pool that is refused has nobody who could change what is in it. */
static int write_all(struct task *task, int64_t seq, struct error *err)
{
    struct pool *list = NULL;
    int count = pool_list(task, &list, err);
    int rc = count < 0 ? -1 : 0;

    for (int i = 0; i < count; i++) {
        const struct driver_pool *pool = NULL;
        struct error refused;
        if (pool_open(task, list[i].id, &pool, &refused) < 0 ||
            (mirrored_seq < 0 && is_current(task, pool->meta_fd)))
            continue;
        if (write_pool(task, pool, seq, err) < 0)
            rc = error_prefix(err, "pool '%s'", pool->name);
    }
    return rc;
}

/* At the first look: nothing has happened since it was written, by us or by the one before us. */
static bool is_current(struct task *task, int meta_fd)
{
    CLEANUP(file_done) FILE *file = NULL;
    struct error ignored; /* then it is written */
    char line[256];
    int64_t seq = -1;
    int64_t changes = 1;
    int64_t last = 0;

    if (open_mirror(meta_fd, &file, &ignored) < 0 || fgets(line, sizeof(line), file) == NULL)
        return false;
    cleanup_json json_t *head = json_read(line, strlen(line), &ignored);
    if (head == NULL || json_get_int(head, "seq", &seq, &ignored) < 0 || seq < 0)
        return false;
    return event_last(task, &last, &ignored) == 0 && seq <= last &&
           store_mirror_changes(task->db, seq, &changes, &ignored) == 0 && changes == 0;
}

static int write_pool(struct task *task, const struct driver_pool *pool, int64_t seq,
                      struct error *err)
{
    cleanup_fd int fd =
        sys_openat(pool->meta_fd, MIRROR_TMP, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, FILE_MODE);

    if (fd < 0)
        return fail_sys(err, fd, "cannot make '" MIRROR_FILE "'");
    int rc = write_rows(task, pool, seq, fd, err);
    if (rc == 0) {
        rc = sys_fsync(fd);
        if (rc >= 0)
            rc = sys_renameat2(pool->meta_fd, MIRROR_TMP, pool->meta_fd, MIRROR_FILE, 0);
        if (rc >= 0)
            rc = sys_fsync(pool->meta_fd);
        if (rc < 0)
            rc = fail_sys(err, rc, "cannot write '" MIRROR_FILE "'");
    }
    if (rc < 0)
        (void)unlinkat(pool->meta_fd, MIRROR_TMP, 0); /* in a full pool it would take room */
    return rc;
}

static int write_rows(struct task *task, const struct driver_pool *pool, int64_t seq, int fd,
                      struct error *err)
{
    CLEANUP(writer_done) struct writer writer = { .fd = fd };
    cleanup_json json_t *head = json_object();

    json_set(head, "format", json_integer(MIRROR_FORMAT));
    json_set(head, "seq", json_integer(seq));
    json_set(head, "written", json_time_ms(clock_now_ms()));
    json_append(&writer.buf, head);
    buf_text(&writer.buf, "\n");
    if (store_mirror_read(task->db, pool->id, add_row, &writer, err) < 0)
        return -1;
    return write_out(&writer, err);
}

static int add_row(void *context, const char *table, const json_t *row, struct error *err)
{
    struct writer *writer = context;

    buf_printf(&writer->buf, "{\"t\":\"%s\",\"r\":", table);
    json_append(&writer->buf, row);
    buf_text(&writer->buf, "}\n");
    return writer->buf.size < PIECE_BYTES ? 0 : write_out(writer, err);
}

static int write_out(struct writer *writer, struct error *err)
{
    int rc = sys_write_all(writer->fd, writer->buf.data, writer->buf.size);

    buf_clear(&writer->buf);
    return rc < 0 ? fail_sys(err, rc, "cannot write '" MIRROR_FILE "'") : 0;
}

static void writer_done(struct writer *writer)
{
    buf_done(&writer->buf);
}

static void file_done(FILE **file)
{
    if (*file != NULL)
        (void)fclose(*file); /* it was read */
}

static int open_mirror(int meta_fd, FILE **file, struct error *err)
{
    cleanup_fd int fd = sys_openat(meta_fd, MIRROR_FILE, O_RDONLY | O_NOFOLLOW, 0);

    if (fd < 0)
        return fail_sys(err, fd, "cannot open '" MIRROR_FILE "'");
    *file = fdopen(fd, "re");
    if (*file == NULL)
        return fail_sys(err, -ENOMEM, "cannot open '" MIRROR_FILE "'");
    (void)move_fd(&fd);
    return 0;
}
