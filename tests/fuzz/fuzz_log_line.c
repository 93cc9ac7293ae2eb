/* SPDX-License-Identifier: Apache-2.0 */
/* A line of a container's log, which the container's disk may have torn. */
#include "core/container/log_line.h"
#include "fuzz/fuzz.h"

int fuzz_one(const unsigned char *data, size_t size)
{
    static const struct log_spec specs[] = {
        { .has_stdout = true, .has_stderr = true, .tail = -1 },
        { .has_stderr = true,
          .has_timestamps = true,
          .has_details = true,
          .since_ns = 1,
          .until_ns = 2 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
        cleanup_buf struct buf out = { 0 };
        (void)log_line_append((const char *)data, size, &specs[i], i == 0, &out);
    }
    return 0;
}
