/* SPDX-License-Identifier: Apache-2.0 */
/* One line of a container's log as text in a file.  Pure. */
#ifndef RUNNER_LOG_LINE_H
#define RUNNER_LOG_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

struct log_line {
    const char *stream; /* "stdout" or "stderr" */
    const char *text;   /* any bytes, the newline included when there was one */
    size_t size;
    char time[CLOCK_TEXT_SIZE];
};

/*
 * {"log":"text\n","stream":"stdout","time":"2026-11-24T08:09:10.123456789Z"} and a newline.  What
 * is not UTF-8 becomes U+FFFD, byte by byte.  'entry' has room for six times the text and 256.
 */
size_t log_line_json(const struct log_line *line, char *entry);

/* TIME STREAM P|F TEXT and a newline. */
size_t log_line_k8s(const struct log_line *line, bool is_partial, char *entry);

/* The size without the first bytes of a UTF-8 character whose last bytes are missing at the end. */
size_t log_line_whole(const char *text, size_t size);

#endif
