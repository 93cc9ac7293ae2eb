/* SPDX-License-Identifier: Apache-2.0 */
/* One line of a container's log file (Docker's json-file) and what a client is sent for it. */
#ifndef CORE_LOG_LINE_H
#define CORE_LOG_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/container/container_io.h"

/*
 * Appends what 'spec' wants of the line (without its newline) to 'out': framed, or raw.  Returns 1
 * when something was appended, 0 when the line is not wanted or not readable, and -1 when it is
 * later than spec->until_ns.
 */
int log_line_append(const char *line, size_t size, const struct log_spec *spec, bool is_raw,
                    struct buf *out);

/*
 * Where the last 'lines' lines of a file begin.  *found is how many there are from there on.
 * Reads backwards from the end, no more than needed.  Returns the offset or -errno.
 */
int64_t log_tail_offset(int fd, int64_t lines, int64_t *found);

#endif
