/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing the options of two containers. */
#include "core/recreate/generation_change.h"

#include <string.h>

static void compare(struct arena *mem, const char *prefix, json_t *before, json_t *after,
                    json_t *list);
static void compare_one(struct arena *mem, const char *option, json_t *before, json_t *after,
                        json_t *list);
static json_t *as_map(json_t *value);
static json_t *env_map(struct arena *mem, const json_t *env);
static bool is_nothing(const json_t *value);
static void note(const char *option, json_t *before, json_t *after, json_t *list);

json_t *generation_changes(struct arena *mem, const struct container *before,
                           const struct container *after)
{
    json_t *list = json_array();

    if (strcmp(before->image_id, after->image_id) != 0 ||
        strcmp(before->image_name, after->image_name) != 0) {
        cleanup_json json_t *from =
            json_text(arena_printf(mem, "%s (%.19s)", before->image_name, before->image_id));
        cleanup_json json_t *to =
            json_text(arena_printf(mem, "%s (%.19s)", after->image_name, after->image_id));
        note("Image", from, to, list);
    }
    compare(mem, "", before->config, after->config, list);
    compare(mem, "HostConfig.", before->host_config, after->host_config, list);
    return list;
}

static void compare(struct arena *mem, const char *prefix, json_t *before, json_t *after,
                    json_t *list)
{
    const char *key;
    json_t *value;

    json_object_foreach(before, key, value)
    {
        if (strcmp(key, "Image") != 0)
            compare_one(mem, arena_printf(mem, "%s%s", prefix, key), value,
                        json_object_get(after, key), list);
    }
    json_object_foreach(after, key, value)
    {
        if (strcmp(key, "Image") != 0 && json_object_get(before, key) == NULL)
            compare_one(mem, arena_printf(mem, "%s%s", prefix, key), NULL, value, list);
    }
}

static void compare_one(struct arena *mem, const char *option, json_t *before, json_t *after,
                        json_t *list)
{
    cleanup_json json_t *from = NULL;
    cleanup_json json_t *to = NULL;

    if (json_equal(before, after) || (is_nothing(before) && is_nothing(after)))
        return;
    if (strcmp(option, "Env") == 0) {
        from = env_map(mem, before);
        to = env_map(mem, after);
    } else {
        from = as_map(before);
        to = as_map(after);
    }
    if (from != NULL && to != NULL)
        compare(mem, arena_printf(mem, "%s.", option), from, to, list);
    else
        note(option, before, after, list);
}

/* A map, or nothing as an empty one; NULL: it is neither.  New reference. */
static json_t *as_map(json_t *value)
{
    if (json_is_object(value))
        return json_incref(value);
    return is_nothing(value) ? json_object() : NULL;
}

static json_t *env_map(struct arena *mem, const json_t *env)
{
    json_t *map = json_object();
    size_t i;
    json_t *item;

    json_array_foreach(env, i, item)
    {
        const char *text = json_string_value(item);
        size_t length = text == NULL ? 0 : strcspn(text, "=");
        if (length > 0)
            json_set(map, arena_strndup(mem, text, length),
                     json_text(text[length] == '=' ? text + length + 1 : ""));
    }
    return map;
}

/* Absent, null, "", [] and {} mean the same to a container. */
static bool is_nothing(const json_t *value)
{
    return value == NULL || json_is_null(value) ||
           (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

static void note(const char *option, json_t *before, json_t *after, json_t *list)
{
    json_t *change = json_object();

    json_set(change, "option", json_text(option));
    json_set(change, "from", before != NULL ? json_incref(before) : json_null());
    json_set(change, "to", after != NULL ? json_incref(after) : json_null());
    json_add(list, change);
}
