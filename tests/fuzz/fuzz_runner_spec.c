/* SPDX-License-Identifier: Apache-2.0 */
/* config.json as an engine, or whoever can write to a bundle, gives it. */
#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "fuzz.h"
#include "runner/spec/mount_option.h"
#include "runner/spec/spec.h"

int fuzz_one(const unsigned char *data, size_t size)
{
    cleanup_arena struct arena *mem = arena_new();
    char *text = arena_memdup(mem, data, size);
    struct error err = { 0 };
    struct spec *spec = NULL;

    if (spec_parse(mem, "/bundle", text, size, &spec, &err) < 0) {
        assert(err.code != ERR_NONE && err.message[0] != '\0');
        return 0;
    }
    assert(spec->process->args[0] != NULL && spec->root_path[0] == '/');
    for (size_t i = 0; i < spec->mounts.count; i++) {
        const struct mount_spec *mount = ARRAY_ITEM(spec->mounts, const struct mount_spec, i);
        struct mount_options options = { 0 };
        assert(mount->destination[0] == '/' && strstr(mount->destination, "/../") == NULL);
        mount_options_read(mem, mount->options, &options);
    }
    spec_close(spec);
    return 0;
}
