/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was logged before, for a client that attaches with `logs`: the json-file read back, oldest
 * file first, then the half lines.  Runs in a worker, whose copy of the state is that of the moment
 * of the request, so nothing is sent twice and nothing is left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/sys.h"
#include "runner/supervise/supervise_state.h"

#define FILE_COUNT_MAX 100

struct replay {
    struct attach attach; /* with a ring of its own, to make frames */
    int fd;
};

static int replay_file(struct replay *replay, const struct log_file *log, int64_t number,
                       struct error *err);
static int replay_entry(struct replay *replay, const char *line, size_t size, struct error *err);
static int replay_text(struct replay *replay, int stream, const char *text, size_t size,
                       struct error *err);
static void close_stream(FILE **stream);
static void free_line(char **line);

int replay_send(const struct supervisor *supervisor, const struct attach *attach, int fd,
                struct error *err)
{
    const struct log_file *log = &supervisor->log;
    struct replay replay = { .fd = fd };
    int64_t number = log->max_files > FILE_COUNT_MAX ? FILE_COUNT_MAX : log->max_files;

    if (attach_begin(&replay.attach, attach->streams, attach->is_framed, err) < 0)
        return -1;
    if (log->format == LOG_FILE_JSON)
        for (number = number > 0 ? number - 1 : 0; number >= 0; number--)
            if (replay_file(&replay, log, number, err) < 0)
                return -1;
    for (int i = 0; i < LOG_FILE_STREAMS; i++)
        if (replay_text(&replay, i, log->half[i].text, log->half[i].size, err) < 0)
            return -1;
    return 0;
}

static int replay_file(struct replay *replay, const struct log_file *log, int64_t number,
                       struct error *err)
{
    char name[NAME_MAX];
    CLEANUP(free_line) char *line = NULL;
    CLEANUP(close_stream) FILE *stream = NULL;
    size_t capacity = 0;
    int64_t used = 0;

    log_file_name(name, number);
    cleanup_fd int fd = sys_openat(log->dirfd, name, O_RDONLY | O_NOFOLLOW, 0);
    if (fd == -ENOENT)
        return 0;
    stream = fd < 0 ? NULL : fdopen(fd, "r");
    if (stream == NULL)
        return fail_sys(err, fd < 0 ? fd : -errno, "cannot read '%s'", name);
    (void)move_fd(&fd);
    for (;;) {
        ssize_t size = getline(&line, &capacity, stream);
        used += size;
        if (size <= 0 || (number == 0 && used > log->size_bytes))
            return 0; /* what came later is sent by the supervisor */
        if (replay_entry(replay, line, (size_t)size, err) < 0)
            return -1;
    }
}

/* A line that is not what we write is passed over: the log is for reading, not for judging. */
static int replay_entry(struct replay *replay, const char *line, size_t size, struct error *err)
{
    struct error ignored = { 0 };
    cleanup_json json_t *entry = json_read(line, size, &ignored);
    const json_t *text = entry == NULL ? NULL : json_member(entry, "log");
    const char *stream = entry == NULL ? NULL : json_string_value(json_member(entry, "stream"));

    if (!json_is_string(text) || stream == NULL)
        return 0;
    return replay_text(replay, strcmp(stream, "stderr") == 0, json_string_value(text),
                       json_string_length(text), err);
}

/* The socket blocks, but attach never waits: keep what it does not take, and wait here. */
static int replay_text(struct replay *replay, int stream, const char *text, size_t size,
                       struct error *err)
{
    int rc = size == 0 ? 0 : attach_put(&replay->attach, replay->fd, stream, text, size);

    while (rc >= 0 && attach_has_held(&replay->attach)) {
        struct pollfd ready = { .fd = replay->fd, .events = POLLOUT };
        (void)poll(&ready, 1, -1); /* woken early, it does no harm */
        rc = attach_flush(&replay->attach, replay->fd);
    }
    return rc < 0 ? fail_sys(err, rc, "the client went away") : 0;
}

static void close_stream(FILE **stream)
{
    if (*stream != NULL)
        (void)fclose(*stream); /* only read from */
}

static void free_line(char **line)
{
    free(*line);
}
