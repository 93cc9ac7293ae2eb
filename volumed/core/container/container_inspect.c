/* SPDX-License-Identifier: Apache-2.0 */
/* The Mounts array that clients are shown. */
#include <string.h>

#include "core/attachment/bind_spec.h"
#include "core/container/container.h"
#include "core/pool/pool.h"
#include "driver/driver.h"

static json_t *volume_json(struct task *task, const struct container *container,
                           const struct attachment *attachment);
static const char *source_of(struct task *task, const struct volume *volume,
                             const struct attachment *attachment);
static json_t *bind_json(const json_t *mount);
static json_t *tmpfs_json(const json_t *mount);
static const char *mode_said(struct task *task, const struct container *container,
                             const struct attachment *attachment);

json_t *container_mounts_json(struct task *task, const struct container *container)
{
    json_t *list = json_array();
    size_t i;
    json_t *mount;

    for (size_t k = 0; k < container->attachment_count; k++)
        json_array_append_new(list, volume_json(task, container, &container->attachments[k]));
    json_array_foreach(container->mounts, i, mount)
    {
        if (strcmp(json_string_value(json_object_get(mount, "Type")), "bind") == 0)
            json_array_append_new(list, bind_json(mount));
        else if (json_is_true(json_object_get(mount, "IsListed")))
            json_array_append_new(list, tmpfs_json(mount));
    }
    return list;
}

static json_t *volume_json(struct task *task, const struct container *container,
                           const struct attachment *attachment)
{
    json_t *json = json_object();
    struct volume volume = { 0 };
    struct error ignored; /* a volume that cannot be read is shown without its path */
    bool is_known = volume_get(task, attachment->volume_name, &volume, &ignored) == 0;

    json_set(json, "Type", json_string("volume"));
    json_set(json, "Name", json_text(attachment->volume_name));
    json_set(json, "Source",
             json_text_or_empty(is_known ? source_of(task, &volume, attachment) : ""));
    json_set(json, "Destination", json_text(attachment->destination));
    json_set(json, "Driver", json_text_or_empty(is_known ? volume.driver : "local"));
    json_set(json, "Mode", json_text(mode_said(task, container, attachment)));
    json_set(json, "RW", json_boolean(!attachment_is_read_only(attachment)));
    json_set(json, "Propagation", json_text_or_empty(attachment->propagation));
    return json;
}

/* Where it can be seen on the host: a scratch can not. */
static const char *source_of(struct task *task, const struct volume *volume,
                             const struct attachment *attachment)
{
    const struct driver_pool *pool = NULL;
    struct error ignored; /* a pool that cannot be opened is nowhere */

    if (attachment->snapshot_id == NULL)
        return volume_path(task, volume);
    if (attachment->is_scratch || pool_open(task, volume->pool_id, &pool, &ignored) < 0)
        return "";
    return arena_printf(task->mem, "%s/snapshots/%s", pool->path, attachment->snapshot_id);
}

/* What stood behind the second colon; Docker shows "z" where a client said nothing. */
static const char *mode_said(struct task *task, const struct container *container,
                             const struct attachment *attachment)
{
    struct error ignored; /* these were parsed when the container was made */
    struct bind_spec spec;
    size_t i;
    json_t *text;

    json_array_foreach(json_object_get(container->host_config, "Binds"), i, text)
    {
        if (bind_spec_parse(task->mem, json_string_value(text), &spec, &ignored) == 0 &&
            strcmp(spec.destination, attachment->destination) == 0)
            return spec.mode[0] != '\0' ? spec.mode : "z";
    }
    return attachment->is_anonymous ? "" : "z";
}

static json_t *bind_json(const json_t *mount)
{
    static const char *const members[] = { "Type", "Source", "Destination",
                                           "Mode", "RW",     "Propagation" };
    json_t *json = json_object();

    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        json_object_set(json, members[i], json_object_get(mount, members[i]));
    return json;
}

static json_t *tmpfs_json(const json_t *mount)
{
    return json_pack("{ss ss sO ss sO ss}", "Type", "tmpfs", "Source", "", "Destination",
                     json_object_get(mount, "Destination"), "Mode", "", "RW",
                     json_object_get(mount, "RW"), "Propagation", "");
}
