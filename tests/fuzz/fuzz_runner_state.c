/* SPDX-License-Identifier: Apache-2.0 */
/* state.json as found on disk, and what else is read of a container by text. */
#include <jansson.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "fuzz.h"
#include "runner/container/container_state.h"
#include "runner/process/passwd.h"
#include "runner/spec/spec.h"

int fuzz_one(const unsigned char *data, size_t size)
{
    cleanup_arena struct arena *mem = arena_new();
    struct container *container = container_new(mem, "/state", "id");
    struct array hooks[HOOK_KINDS] = { 0 };
    struct error err = { 0 };

    (void)passwd_find_home(mem, arena_strndup(mem, (const char *)data, size), 1000);
    container->state = json_read((const char *)data, size, &err);
    if (container->state != NULL && container_state_restore(mem, container, &err) == 0) {
        json_decref(container_state_json(container, CONTAINER_RUNNING));
        const json_t *stored = json_object_get(container->state, "hooks");
        if (stored != NULL)
            (void)hooks_read(mem, stored, hooks, &err); /* either way is fine */
    }
    container_close(container);
    return 0;
}
