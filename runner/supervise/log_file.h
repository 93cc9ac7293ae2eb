/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a container: what it wrote, split into lines, each with stream and time, in one of two
 * formats, in files that are rotated.  Owns the files and the half lines; who reads the container's
 * output and who reads the log is elsewhere.
 *
 * Never stops its caller: what cannot be written (a full disk) is dropped whole and counted.
 * Allocates nothing; a struct log_file is large and meant to be static, its pages are touched as
 * they are needed.
 */
#ifndef RUNNER_LOG_FILE_H
#define RUNNER_LOG_FILE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define LOG_FILE_NAME     "container.log"
#define LOG_FILE_LINE_MAX 16384 /* longer lines are split, as Docker does */
/* The worst line: every byte becomes \u00XX, and the frame around it. */
#define LOG_FILE_ENTRY_MAX (LOG_FILE_LINE_MAX * 6 + 256)

enum log_file_format {
    LOG_FILE_NONE,
    LOG_FILE_JSON, /* Docker's json-file: one object a line */
    LOG_FILE_K8S,  /* Kubernetes' CRI: TIME STREAM P|F TEXT */
};

enum log_file_stream {
    LOG_FILE_STDOUT,
    LOG_FILE_STDERR,
    LOG_FILE_STREAMS, /* how many there are */
};

struct log_file_half {
    size_t size;
    char text[LOG_FILE_LINE_MAX];
};

struct log_file {
    enum log_file_format format;
    int dirfd;         /* of the directory the files are in; borrowed */
    int fd;            /* -1: could not be opened; tried again at the next write */
    int64_t max_bytes; /* 0: no rotation */
    int64_t max_files; /* the current one included; 0 counts as 1 */
    int64_t size_bytes;
    uint64_t lost_count;                         /* lines that could not be written */
    struct log_file_half half[LOG_FILE_STREAMS]; /* a line whose end has not come yet */
    uint64_t batch_count;                        /* lines in batch */
    size_t batch_size;
    char batch[LOG_FILE_ENTRY_MAX + 32768];
};

/* "json-file", "k8s-file", "none".  Errors: INVALID. */
int log_file_format_parse(const char *name, enum log_file_format *format, struct error *err);

/* Opens LOG_FILE_NAME for appending, making it when missing.  format, dirfd and limits are set. */
int log_file_open(struct log_file *log, struct error *err);
void log_file_close(struct log_file *log);

/* Takes what came from one stream at 'now_ns'; whole lines are in the file on return. */
void log_file_write(struct log_file *log, enum log_file_stream stream, const char *data,
                    size_t size, int64_t now_ns);

/* Writes the half line of a stream that has ended, if there is one. */
void log_file_end(struct log_file *log, enum log_file_stream stream, int64_t now_ns);

/* LOG_FILE_NAME for 0, the older the file the higher its number. */
void log_file_name(char name[NAME_MAX], int64_t number);

#endif
