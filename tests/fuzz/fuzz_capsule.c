/* SPDX-License-Identifier: Apache-2.0 */
/* A capsule as verify reads it: frames, hashes, sections.  The hash keeps most bytes out, so frames
 * are also read with whatever payload the input has. */
#include <assert.h>
#include <string.h>

#include "core/capsule/capsule.h"
#include "core/capsule/capsule_frame.h"
#include "fuzz.h"

struct input {
    const unsigned char *data;
    size_t left;
};

static ssize_t read_input(void *context, void *data, size_t size, struct error *err)
{
    struct input *input = context;
    size_t piece = size < input->left ? size : input->left;

    (void)err;
    memcpy(data, input->data, piece);
    input->data += piece;
    input->left -= piece;
    return (ssize_t)piece;
}

int fuzz_one(const unsigned char *data, size_t size)
{
    struct input input = { data, size };
    const struct byte_source source = { .read = read_input, .context = &input };
    json_t *manifest = NULL;
    int64_t bytes = 0;
    struct error err;

    if (capsule_verify(NULL, &source, &manifest, &bytes, &err) == 0) {
        assert(bytes >= 0 && (size_t)bytes <= size);
        json_decref(manifest);
    }
    return 0;
}
