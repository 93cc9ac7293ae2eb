/* SPDX-License-Identifier: Apache-2.0 */
/* From the JSON of hooks to their spec. */
#include "api/native/hooks.h"

#include <string.h>

static int read_hook(struct arena *mem, json_t *value, struct hook *hook, struct error *err);

int decode_hooks(const struct call *call, const struct hooks_request *request,
                 struct hook_spec *spec, struct error *err)
{
    struct arena *mem = call->task->mem;
    const char *container;
    json_t *value;

    *spec = (struct hook_spec){ .timeout_ms = request->timeout_ms, .is_off = request->is_off };
    if (request->hooks == NULL)
        return 0;
    cleanup_json json_t *hooks = json_read(request->hooks, strlen(request->hooks), err);
    if (hooks == NULL)
        return -1;
    struct hook *items = arena_array(mem, json_object_size(hooks) + 1, sizeof(*items));
    json_object_foreach(hooks, container, value)
    {
        struct hook *hook = &items[spec->count++];
        hook->container = arena_strdup(mem, container);
        if (read_hook(mem, value, hook, err) < 0)
            return error_prefix(err, "hooks of '%s'", container);
    }
    spec->items = items;
    return 0;
}

static int read_hook(struct arena *mem, json_t *value, struct hook *hook, struct error *err)
{
    const char *key;
    json_t *command;

    if (!json_is_object(value))
        return fail(err, ERR_INVALID, "must be an object");
    json_object_foreach(value, key, command)
    {
        bool is_before = strcmp(key, "before") == 0;
        if ((!is_before && strcmp(key, "after") != 0) || !json_is_string(command))
            return fail(err, ERR_INVALID, "only 'before' and 'after' are known, both strings");
        *(is_before ? &hook->before : &hook->after) = arena_strdup(mem, json_string_value(command));
    }
    return 0;
}
