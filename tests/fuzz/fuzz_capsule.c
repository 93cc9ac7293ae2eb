/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A capsule as verify reads it: frames, hashes, sections; and its manifest as import does.  The
 * hash keeps most bytes out, so that what does not begin with a frame is taken for frames to be
 * signed: a type, two bytes of length, the payload.
 */
#include <assert.h>
#include <string.h>

#include "core/capsule/capsule.h"
#include "core/capsule/capsule_frame.h"
#include "core/capsule/capsule_plan.h"
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
    if (piece == 0)
        return 0;
    memcpy(data, input->data, piece);
    input->data += piece;
    input->left -= piece;
    return (ssize_t)piece;
}

static int write_output(void *context, const void *data, size_t size, struct error *err)
{
    (void)err;
    buf_append(context, data, size);
    return 0;
}

static void sign(const unsigned char *data, size_t size, struct buf *out)
{
    const struct byte_sink sink = { .write = write_output, .context = out };
    struct capsule_writer writer = { .sink = &sink };
    struct error err;

    while (size >= 3) {
        size_t length = (size_t)data[1] << 8 | data[2];
        length = length < size - 3 ? length : size - 3;
        assert(capsule_write(&writer, (enum capsule_type)data[0], data + 3, length, &err) == 0);
        data += 3 + length;
        size -= 3 + length;
    }
}

static void plan(const json_t *manifest)
{
    cleanup_arena struct arena *mem = arena_new();
    struct task task = { .mem = mem, .actor = "fuzz" };
    struct capsule_plan plan = { 0 };
    struct pairs renames = { 0 };
    struct error err;

    if (capsule_plan_make(&task, manifest, &renames, &plan, &err) == 0) {
        json_decref(capsule_plan_bare_host(&plan));
        for (size_t i = 0; i < plan.count; i++)
            plan.volumes[i].id = "id";
        (void)capsule_plan_attachments(&task, &plan);
    }
    capsule_plan_done(&plan);
}

int fuzz_one(const unsigned char *data, size_t size)
{
    cleanup_buf struct buf made = { 0 };
    struct input input = { data, size };

    if (size < 4 || memcmp(data, "VC1 ", 4) != 0) {
        sign(data, size, &made);
        input = (struct input){ (const unsigned char *)made.data, made.size };
    }
    const struct byte_source source = { .read = read_input, .context = &input };
    size_t whole = input.left;
    json_t *manifest = NULL;
    int64_t bytes = 0;
    struct error err;

    if (capsule_verify(NULL, &source, &manifest, &bytes, &err) == 0) {
        assert(bytes >= 0 && (size_t)bytes == whole);
        plan(manifest);
        json_decref(manifest);
    }
    return 0;
}
