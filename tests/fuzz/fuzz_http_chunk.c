/* SPDX-License-Identifier: Apache-2.0 */
/* A chunked body: decodes to the same bytes, and fails at the same place, wherever it is cut. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "http/chunk.h"

static int decode(const char *text, size_t size, size_t step, struct buf *out)
{
    struct chunk_reader reader = { 0 };
    int rc = 0;

    while (rc == 0 && size > 0) {
        struct pass pass = {
            .in = text,
            .in_size = size < step ? size : step,
            .out = buf_reserve(out, step),
            .out_room = step,
        };
        rc = chunk_decode(&reader, &pass);
        out->size += step - pass.out_room;
        size -= (size_t)(pass.in - text);
        text = pass.in;
    }
    return rc;
}

int fuzz_one(const unsigned char *data, size_t size)
{
    static const size_t steps[] = { 1, 2, 7, 4096 };
    cleanup_buf struct buf whole = { 0 };
    int whole_rc = decode((const char *)data, size, size + 1, &whole);

    assert(whole_rc == 0 || whole_rc == 1 || whole_rc == -EBADMSG);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        cleanup_buf struct buf out = { 0 };
        int rc = decode((const char *)data, size, steps[i], &out);
        assert(rc == whole_rc && out.size == whole.size);
        assert(out.size == 0 || memcmp(out.data, whole.data, out.size) == 0);
    }
    return 0;
}
