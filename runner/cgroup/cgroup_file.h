/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing the small files of a control group. */
#ifndef RUNNER_CGROUP_FILE_H
#define RUNNER_CGROUP_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"
#include "runner/cgroup/cgroup.h"

#define CGROUP_TEXT_SIZE 7168

/* Writes a text in one call.  Returns 0 or -errno. */
int cgroup_file_write(const char *directory, const char *name, const char *text);
int cgroup_file_printf(const char *directory, const char *name, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* As above, with the error told: "cannot set 'memory.max' to '1024'". */
int cgroup_file_set(const char *directory, const char *name, const char *text, struct error *err);
int cgroup_file_set_number(const char *directory, const char *name, int64_t value,
                           struct error *err);

/* Reads a file whole, without its last newline.  Returns its length or -errno. */
ssize_t cgroup_file_read(const char *directory, const char *name, char text[CGROUP_TEXT_SIZE]);

/* A file that is one number ("max" gives INT64_MAX), or 'otherwise' when it cannot be read. */
int64_t cgroup_file_number(const char *directory, const char *name, int64_t otherwise);

/* The number after 'key ' in a flat keyed file ("usage_usec 17"), or 'otherwise'. */
int64_t cgroup_file_keyed(const char *directory, const char *name, const char *key,
                          int64_t otherwise);

/* The number after 'key ' on a line of its own in 'text', or 'otherwise'. */
int64_t cgroup_text_keyed(const char *text, const char *key, int64_t otherwise);

#endif
