/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-encoding by RFC 3986: all but its unreserved characters. */
#include "url.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"

static void append_encoded(struct buf *out, const char *text);

const char *url_make(struct arena *mem, const char *pattern, const char *const *values,
                     size_t value_count)
{
    cleanup_buf struct buf out = { 0 };
    size_t used = 0;

    for (const char *hole; (hole = strstr(pattern, "{}")) != NULL; pattern = hole + 2) {
        assert(used < value_count && values[used] != NULL);
        buf_append(&out, pattern, (size_t)(hole - pattern));
        append_encoded(&out, values[used++]);
    }
    assert(used == value_count);
    buf_text(&out, pattern);
    return arena_strdup(mem, out.data);
}

const char *url_add(struct arena *mem, const char *path, const char *name, const char *value)
{
    cleanup_buf struct buf out = { 0 };

    if (value == NULL)
        return path;
    buf_printf(&out, "%s%c%s=", path, strchr(path, '?') == NULL ? '?' : '&', name);
    append_encoded(&out, value);
    return arena_strdup(mem, out.data);
}

static void append_encoded(struct buf *out, const char *text)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text != '\0'; text++) {
        if (strchr(unreserved, *text) != NULL)
            buf_append(out, text, 1);
        else
            buf_printf(out, "%%%02X", (unsigned int)(unsigned char)*text);
    }
}
