/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines become entries in a batch, a batch is one write.  A write that fails half-way is taken back
 * by truncation, so that the file holds whole entries only, whatever the disk does.
 */
#include "runner/supervise/log_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "runner/supervise/log_line.h"

#define LOG_FILE_MODE 0640

static const char *const stream_names[LOG_FILE_STREAMS] = { "stdout", "stderr" };

static int reopen(struct log_file *log);
static void line_add(struct log_file *log, enum log_file_stream stream, const char *text,
                     size_t size, int64_t now_ns);
static void half_settle(struct log_file *log, enum log_file_stream stream, int64_t now_ns);
static size_t entry_format(const struct log_file *log, enum log_file_stream stream,
                           const struct log_line *line, char *entry);
static void batch_flush(struct log_file *log);
static void rotate(struct log_file *log);

int log_file_format_parse(const char *name, enum log_file_format *format, struct error *err)
{
    static const char *const names[] = {
        [LOG_FILE_NONE] = "none",
        [LOG_FILE_JSON] = "json-file",
        [LOG_FILE_K8S] = "k8s-file",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i], name) == 0) {
            *format = (enum log_file_format)i;
            return 0;
        }
    return fail(err, ERR_INVALID, "unknown log format '%.64s'", name);
}

int log_file_open(struct log_file *log, struct error *err)
{
    log->fd = -1;
    if (log->format == LOG_FILE_NONE)
        return 0;
    int rc = reopen(log);
    return rc < 0 ? fail_sys(err, rc, "cannot open '" LOG_FILE_NAME "'") : 0;
}

void log_file_close(struct log_file *log)
{
    sys_close_fd(&log->fd);
}

void log_file_write(struct log_file *log, enum log_file_stream stream, const char *data,
                    size_t size, int64_t now_ns)
{
    struct log_file_half *half = &log->half[stream];

    if (log->format == LOG_FILE_NONE)
        return;
    while (size > 0) {
        const char *newline = memchr(data, '\n', size);
        size_t taken = newline != NULL ? (size_t)(newline - data) + 1 : size;
        if (half->size == 0 && newline != NULL && taken <= LOG_FILE_LINE_MAX) {
            line_add(log, stream, data, taken, now_ns); /* the common case: nothing is copied */
        } else {
            if (taken > LOG_FILE_LINE_MAX - half->size)
                taken = LOG_FILE_LINE_MAX - half->size;
            memcpy(half->text + half->size, data, taken);
            half->size += taken;
            half_settle(log, stream, now_ns);
        }
        data += taken;
        size -= taken;
    }
    batch_flush(log);
}

/* A half line that has become a whole one, or as long as one may be, is a line. */
static void half_settle(struct log_file *log, enum log_file_stream stream, int64_t now_ns)
{
    struct log_file_half *half = &log->half[stream];

    if (half->size != LOG_FILE_LINE_MAX && half->text[half->size - 1] != '\n')
        return;
    /* A character is not cut in two: its first bytes wait for the others. */
    size_t whole = log_line_whole(half->text, half->size);
    line_add(log, stream, half->text, whole, now_ns);
    memmove(half->text, half->text + whole, half->size - whole);
    half->size -= whole;
}

void log_file_end(struct log_file *log, enum log_file_stream stream, int64_t now_ns)
{
    struct log_file_half *half = &log->half[stream];

    if (half->size == 0)
        return;
    line_add(log, stream, half->text, half->size, now_ns);
    half->size = 0;
    batch_flush(log);
}

void log_file_name(char name[NAME_MAX], int64_t number)
{
    if (number == 0)
        (void)snprintf(name, NAME_MAX, "%s", LOG_FILE_NAME);
    else
        (void)snprintf(name, NAME_MAX, "%s.%d", LOG_FILE_NAME, (int)number);
}

static int reopen(struct log_file *log)
{
    struct stat st;

    log->fd = sys_openat(log->dirfd, LOG_FILE_NAME, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW,
                         LOG_FILE_MODE);
    if (log->fd < 0)
        return log->fd;
    log->size_bytes = fstat(log->fd, &st) == 0 ? st.st_size : 0;
    return 0;
}

static void line_add(struct log_file *log, enum log_file_stream stream, const char *text,
                     size_t size, int64_t now_ns)
{
    struct log_line line = { .stream = stream_names[stream], .text = text, .size = size };

    clock_text_ns(now_ns, line.time);
    if (sizeof(log->batch) - log->batch_size < LOG_FILE_ENTRY_MAX)
        batch_flush(log);
    size_t entry = entry_format(log, stream, &line, log->batch + log->batch_size);
    int64_t file_size = log->size_bytes + (int64_t)log->batch_size;
    if (log->max_bytes > 0 && file_size > 0 && file_size + (int64_t)entry > log->max_bytes) {
        const char *text_of_entry = log->batch + log->batch_size;
        batch_flush(log);
        rotate(log);
        memmove(log->batch, text_of_entry, entry);
    }
    log->batch_size += entry;
    log->batch_count++;
}

static size_t entry_format(const struct log_file *log, enum log_file_stream stream,
                           const struct log_line *line, char *entry)
{
    if (log->format == LOG_FILE_JSON)
        return log_line_json(line, entry);
    /* P: the line goes on in the next entry.  At the end of a stream it does not. */
    bool is_partial =
        line->text[line->size - 1] != '\n' && log->half[stream].size == LOG_FILE_LINE_MAX;
    return log_line_k8s(line, is_partial, entry);
}

static void batch_flush(struct log_file *log)
{
    int rc = log->batch_size == 0 ? 0 : log->fd >= 0 ? 0 : reopen(log);

    if (rc >= 0 && log->batch_size > 0) {
        rc = sys_write_all(log->fd, log->batch, log->batch_size);
        if (rc < 0)
            (void)sys_ftruncate(log->fd, log->size_bytes); /* nothing more can be done about it */
        else
            log->size_bytes += (int64_t)log->batch_size;
    }
    if (rc < 0)
        log->lost_count += log->batch_count;
    log->batch_size = 0;
    log->batch_count = 0;
}

/* Failures leave a log that is larger than wished, which beats one that is lost. */
static void rotate(struct log_file *log)
{
    char from[NAME_MAX];
    char to[NAME_MAX];

    if (log->max_files <= 1) {
        if (log->fd >= 0 && sys_ftruncate(log->fd, 0) == 0)
            log->size_bytes = 0;
        return;
    }
    for (int64_t number = log->max_files - 1; number > 0; number--) {
        log_file_name(from, number - 1);
        log_file_name(to, number);
        (void)sys_renameat2(log->dirfd, from, log->dirfd, to, 0); /* absent: not that many yet */
    }
    sys_close_fd(&log->fd);
    (void)reopen(log); /* tried again by the next write */
}
