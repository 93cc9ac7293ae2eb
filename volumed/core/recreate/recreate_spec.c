/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's row keeps its configuration completed from its image.  A successor must not inherit
 * the old image's part of it (an old PATH, an old command), so that part is taken away first; what
 * is left is what the client had said, and the changes are put over it.
 */
#include "core/recreate/recreate_spec.h"

#include <string.h>

#include "base/path.h"
#include "core/image/image.h"

/* Members of Config that a container has from its image when they are equal. */
static const char *const from_image[] = {
    "Cmd",   "Entrypoint",  "WorkingDir",  "User",        "StopSignal",
    "Shell", "Healthcheck", "StopTimeout", "ArgsEscaped", "OnBuild",
};

/* Objects and lists of which each entry is the image's or the client's. */
static const char *const maps_from_image[] = { "ExposedPorts", "Volumes", "Labels" };

static json_t *image_defaults(struct task *task, const char *image_id);
static void take_image_away(json_t *config, const json_t *image);
static void take_list_away(json_t *list, const json_t *image_list);
static void take_map_away(json_t *map, json_t *image_map);
static void name_volumes(struct task *task, const struct container *old, json_t *host);
static const struct attachment *attachment_at(struct task *task, const struct container *old,
                                              const char *destination);
static const char *rename_bind(struct task *task, const struct container *old, const char *bind);
static void put_over(json_t *into, json_t *change);
static void put_env(json_t *env, const json_t *change);
static void put_volumes(struct task *task, json_t *host, const json_t *change);
static bool is_said_at(struct task *task, const json_t *host, const char *destination);

int recreate_spec_fill(struct task *task, const struct container *old, const json_t *change,
                       struct container_spec *spec, struct error *err)
{
    cleanup_json json_t *image = image_defaults(task, old->image_id);
    cleanup_json json_t *shape = json_deep_copy(change);
    const char *wanted = old->image_name;

    if (json_get_text(change, "Image", task->mem, &wanted, err) < 0)
        return -1;
    json_t *host_change = json_object_get(shape, "HostConfig");
    spec->image = wanted;
    spec->config = json_deep_copy(old->config);
    spec->host_config = json_deep_copy(old->host_config);
    spec->networking = json_deep_copy(old->networking);
    take_image_away(spec->config, image);
    name_volumes(task, old, spec->host_config);
    put_volumes(task, spec->host_config, host_change);
    put_over(spec->host_config, host_change);
    (void)json_object_del(shape, "HostConfig"); /* absent is as well */
    (void)json_object_del(shape, "NetworkingConfig");
    if (json_object_get(shape, "Cmd") != NULL || json_object_get(shape, "Entrypoint") != NULL)
        (void)json_object_del(spec->config, "Cmd"); /* it belongs to what is replaced */
    put_over(spec->config, shape);
    struct attachment *carried =
        arena_array(task->mem, old->attachment_count + 1, sizeof(*carried));
    for (size_t i = 0; i < old->attachment_count; i++) {
        if (is_said_at(task, spec->host_config, old->attachments[i].destination))
            continue;
        carried[spec->carried_count] = old->attachments[i];
        carried[spec->carried_count].container_id = NULL;
        carried[spec->carried_count++].is_nocopy = true;
    }
    spec->carried = carried;
    return 0;
}

void recreate_spec_done(struct container_spec *spec)
{
    json_decref(spec->config);
    json_decref(spec->host_config);
    json_decref(spec->networking);
    spec->config = spec->host_config = spec->networking = NULL;
}

/* The old image may be gone by now: then all that its container has is taken for the client's. */
static json_t *image_defaults(struct task *task, const char *image_id)
{
    struct image image = { 0 };
    struct error ignored;

    if (image_get(task, image_id, &image, &ignored) < 0)
        return json_object();
    cleanup_json json_t *document = json_read(image.config, strlen(image.config), &ignored);
    json_t *config = json_member(document, "config");
    return config != NULL ? json_incref(config) : json_object();
}

static void take_image_away(json_t *config, const json_t *image)
{
    for (size_t i = 0; i < ARRAY_SIZE(from_image); i++) {
        const json_t *value = json_object_get(config, from_image[i]);
        if (value != NULL && json_equal(value, json_object_get(image, from_image[i])))
            (void)json_object_del(config, from_image[i]); /* it is there */
    }
    take_list_away(json_object_get(config, "Env"), json_object_get(image, "Env"));
    for (size_t i = 0; i < ARRAY_SIZE(maps_from_image); i++)
        take_map_away(json_object_get(config, maps_from_image[i]),
                      json_object_get(image, maps_from_image[i]));
}

static void take_list_away(json_t *list, const json_t *image_list)
{
    size_t k;
    json_t *other;

    for (size_t i = json_array_size(list); i-- > 0;) {
        bool is_same = false;
        json_array_foreach(image_list, k, other) is_same =
            is_same || json_equal(json_array_get(list, i), other);
        if (is_same)
            (void)json_array_remove(list, i); /* it is there */
    }
}

static void take_map_away(json_t *map, json_t *image_map)
{
    const char *key;
    json_t *value;

    json_object_foreach(image_map, key, value)
    {
        const json_t *ours = json_object_get(map, key);
        if (ours != NULL && (json_is_object(value) || json_equal(ours, value)))
            (void)json_object_del(map, key); /* it is there */
    }
}

/*
 * A volume may have another name by now than the client said, or have been detached: attachments
 * tell.
 */
static void name_volumes(struct task *task, const struct container *old, json_t *host)
{
    size_t i;
    json_t *binds = json_object_get(host, "Binds");

    for (i = json_array_size(binds); i-- > 0;) {
        const char *bind = json_string_value(json_array_get(binds, i));
        const char *renamed = rename_bind(task, old, bind);
        if (renamed != NULL)
            (void)json_array_set_new(binds, i, json_text(renamed));
        else
            (void)json_array_remove(binds, i); /* it is there */
    }
    json_t *mounts = json_object_get(host, "Mounts");
    for (i = json_array_size(mounts); i-- > 0;) {
        json_t *item = json_array_get(mounts, i);
        const char *type = json_string_value(json_member(item, "Type"));
        const char *target = json_string_value(json_member(item, "Target"));
        const struct attachment *attachment =
            target == NULL ? NULL : attachment_at(task, old, path_clean(task->mem, target));
        if (type == NULL || strcmp(type, "volume") != 0)
            continue;
        if (attachment == NULL)
            (void)json_array_remove(mounts, i); /* it is there */
        else if (json_string_length(json_member(item, "Source")) > 0)
            json_set(item, "Source", json_text(attachment->volume_name));
    }
}

static const struct attachment *attachment_at(struct task *task, const struct container *old,
                                              const char *destination)
{
    const char *clean = path_clean(task->mem, destination);

    for (size_t i = 0; i < old->attachment_count; i++)
        if (strcmp(old->attachments[i].destination, clean) == 0)
            return &old->attachments[i];
    return NULL;
}

/* "NAME[@SNAPSHOT]:PATH[:MODE]"; "/HOST:PATH" is no volume.  NULL: it was detached since. */
static const char *rename_bind(struct task *task, const struct container *old, const char *bind)
{
    const char *colon = strchr(bind, ':');

    if (bind[0] == '/' || colon == NULL)
        return bind;
    const char *path = arena_strndup(task->mem, colon + 1, strcspn(colon + 1, ":"));
    const struct attachment *attachment = attachment_at(task, old, path);
    if (attachment == NULL)
        return NULL;
    bool has_snapshot = memchr(bind, '@', (size_t)(colon - bind)) != NULL;
    return arena_printf(task->mem, "%s%s%s%s", attachment->volume_name, has_snapshot ? "@" : "",
                        has_snapshot ? attachment->snapshot : "", colon);
}

/* Members replace members, but variables and labels are merged one by one. */
static void put_over(json_t *into, json_t *change)
{
    const char *key;
    json_t *value;

    json_object_foreach(change, key, value)
    {
        json_t *had = json_object_get(into, key);
        if (strcmp(key, "Env") == 0 && json_is_array(had))
            put_env(had, value);
        else if ((strcmp(key, "Labels") == 0 || strcmp(key, "Volumes") == 0) && json_is_object(had))
            (void)json_object_update(had, value); /* fails only without memory */
        else if (strcmp(key, "Binds") != 0)
            json_object_set(into, key, value);
    }
}

static void put_env(json_t *env, const json_t *change)
{
    size_t i;
    json_t *item;

    json_array_foreach(change, i, item)
    {
        const char *text = json_string_value(item);
        size_t length = text == NULL ? 0 : strcspn(text, "=") + 1;
        for (size_t k = json_array_size(env); text != NULL && k-- > 0;)
            if (strncmp(json_string_value(json_array_get(env, k)), text, length) == 0)
                (void)json_array_remove(env, k); /* it is there */
        json_array_append(env, item);
    }
}

/* Binds are merged by their destination. */
static void put_volumes(struct task *task, json_t *host, const json_t *change)
{
    size_t i;
    json_t *item;
    json_t *binds = json_object_get(host, "Binds");

    if (!json_is_array(binds)) {
        json_set(host, "Binds", json_array());
        binds = json_object_get(host, "Binds");
    }
    json_array_foreach(json_object_get(change, "Binds"), i, item)
    {
        const char *text = json_string_value(item);
        const char *colon = text == NULL ? NULL : strchr(text, ':');
        const char *path =
            colon == NULL ? "" : arena_strndup(task->mem, colon + 1, strcspn(colon + 1, ":"));
        for (size_t k = json_array_size(binds); k-- > 0;) {
            const char *had = strchr(json_string_value(json_array_get(binds, k)), ':');
            if (had != NULL && strncmp(had + 1, path, strlen(path)) == 0 &&
                (had[1 + strlen(path)] == '\0' || had[1 + strlen(path)] == ':'))
                (void)json_array_remove(binds, k); /* it is there */
        }
        json_array_append(binds, item);
    }
}

/* Whether Binds or Mounts put a volume of a name, or something of the host, there. */
static bool is_said_at(struct task *task, const json_t *host, const char *destination)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(host, "Binds"), i, item)
    {
        const char *colon = strchr(json_string_value(item), ':');
        if (colon == NULL)
            continue;
        const char *path = arena_strndup(task->mem, colon + 1, strcspn(colon + 1, ":"));
        if (strcmp(path_clean(task->mem, path), destination) == 0)
            return true;
    }
    json_array_foreach(json_object_get(host, "Mounts"), i, item)
    {
        const char *target = json_string_value(json_member(item, "Target"));
        if (target != NULL && strcmp(path_clean(task->mem, target), destination) == 0 &&
            json_string_length(json_member(item, "Source")) > 0)
            return true;
    }
    return false;
}
