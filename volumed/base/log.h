/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's log: one line an event on standard error, logfmt, printf-checked.
 * Doors log; below the doors one returns an error.  Thread-safe.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

enum log_level {
    LOG_DEBUG, /* anything, anywhere */
    LOG_INFO,  /* an operator cares */
    LOG_WARN,  /* we recovered */
    LOG_ERROR, /* we did not */
};

void log_set_level(enum log_level level);

/* Sets what every later line of this thread carries ("request=17"), or NULL.  Kept by reference. */
void log_scope(const char *scope);

void log_line(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

#endif
