/* SPDX-License-Identifier: Apache-2.0 */
/* The log's one line.  A line is one write, so that lines of threads do not mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_MAX_SIZE 2048

static const char *const level_names[] = { "debug", "info", "warn", "error" };
static _Atomic int min_level = LOG_INFO;
static _Thread_local const char *thread_scope;

void log_set_level(enum log_level level)
{
    min_level = (int)level;
}

void log_scope(const char *scope)
{
    thread_scope = scope;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    char line[LINE_MAX_SIZE];
    char stamp[CLOCK_TEXT_SIZE];
    va_list args;

    if ((int)level < min_level)
        return;
    clock_text_ms(clock_now_ms(), stamp);
    int used = snprintf(line, sizeof(line), "%s %s%s%s ", stamp, level_names[level],
                        thread_scope != NULL ? " " : "", thread_scope != NULL ? thread_scope : "");
    va_start(args, fmt);
    int more = vsnprintf(line + used, sizeof(line) - (size_t)used - 1, fmt, args);
    va_end(args);
    if (more < 0)
        return;
    size_t size = strlen(line);
    line[size++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, size);
    (void)written; /* nowhere is left to complain to */
}
