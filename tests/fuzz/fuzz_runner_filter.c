/* SPDX-License-Identifier: Apache-2.0 */
/* A seccomp profile: never a crash, and what compiles is a program that ends. */
#include <assert.h>
#include <jansson.h>
#include <linux/filter.h>

#include "base/arena.h"
#include "base/json.h"
#include "fuzz.h"
#include "runner/process/filter.h"

int fuzz_one(const unsigned char *data, size_t size)
{
    cleanup_arena struct arena *mem = arena_new();
    struct filter filter = { 0 };
    struct error err = { 0 };
    cleanup_json json_t *json = json_read((const char *)data, size, &err);

    if (json == NULL || filter_prepare(mem, json, NULL, &filter, &err) < 0 ||
        filter.program == NULL)
        return 0;
    const struct sock_filter *program = filter.program;
    size_t count = filter.size / sizeof(*program);
    assert(count > 0 && filter.size % sizeof(*program) == 0);
    assert(BPF_CLASS(program[count - 1].code) == BPF_RET);
    return 0;
}
