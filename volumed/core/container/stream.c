/* SPDX-License-Identifier: Apache-2.0 */
/* Two copy loops.  Nothing is kept; a slow end holds the other back. */
#include "core/container/stream.h"

#define CHUNK_BYTES ((size_t)64 * 1024) /* what a pipe holds */

int stream_feed(struct child *child, const struct byte_source *source, struct error *err)
{
    cleanup_buf struct buf chunk = { 0 };
    char *data = buf_reserve(&chunk, CHUNK_BYTES);
    ssize_t got;

    while ((got = source->read(source->context, data, CHUNK_BYTES, err)) > 0) {
        int rc = child_write(child, data, (size_t)got, err);
        if (rc != 0)
            return rc < 0 ? -1 : 0;
    }
    return got < 0 ? -1 : 0;
}

int stream_drain(struct child *child, const struct byte_sink *sink, struct error *err)
{
    cleanup_buf struct buf chunk = { 0 };
    char *data = buf_reserve(&chunk, CHUNK_BYTES);
    ssize_t got;

    while ((got = child_read(child, data, CHUNK_BYTES, err)) > 0)
        if (sink->write(sink->context, data, (size_t)got, err) < 0)
            return -1;
    return got < 0 ? -1 : 0;
}
