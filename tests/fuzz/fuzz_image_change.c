/* SPDX-License-Identifier: Apache-2.0 */
/* Dockerfile lines applied to a config: whatever is accepted leaves JSON that can be written. */
#include <assert.h>
#include <string.h>

#include "core/image/image_change.h"
#include "fuzz.h"

#define LINES_MAX 64

int fuzz_one(const unsigned char *data, size_t size)
{
    cleanup_arena struct arena *mem = arena_new();
    cleanup_json json_t *config = json_object();
    const char *lines[LINES_MAX + 1] = { NULL };
    char *rest = arena_strndup(mem, (const char *)data, size);
    struct error err;

    for (size_t i = 0; i < LINES_MAX && rest != NULL; i++)
        lines[i] = strsep(&rest, "\n");
    if (image_change_apply(mem, config, lines, &err) == 0)
        assert(json_write(mem, config) != NULL);
    return 0;
}
