/* SPDX-License-Identifier: Apache-2.0 */
/* Reading manifests.  They are strangers': what is not there or of another type is refused. */
#include "core/capsule/capsule_plan.h"

#include <assert.h>
#include <string.h>

#include "base/uuid.h"
#include "core/capsule/capsule_frame.h"
#include "core/container/container_name.h"
#include "model/container.h"
#include "model/name.h"
#include "store/container.h"
#include "store/volume.h"

static int read_container(struct task *task, const struct pairs *renames, struct capsule_plan *plan,
                          struct error *err);
static int read_volume(struct task *task, const json_t *item, const struct pairs *renames,
                       struct capsule_plan *plan, struct error *err);
static int read_attachment(struct task *task, const json_t *item, struct capsule_plan *plan,
                           struct error *err);
static const struct capsule_volume *find_volume(const struct capsule_plan *plan, const char *name);
static void rename_sources(struct task *task, struct capsule_plan *plan);
static const char *renamed(const struct pairs *renames, const char *name);
static json_t *object_of(const json_t *object, const char *name);

int capsule_plan_make(struct task *task, const json_t *manifest, const struct pairs *renames,
                      struct capsule_plan *plan, struct error *err)
{
    const json_t *volumes = json_member(manifest, "volumes");
    const json_t *attachments = json_member(manifest, "attachments");
    int64_t format = 0;
    char id[UUID_SIZE];
    size_t i;
    json_t *item;

    plan->manifest = manifest;
    if (json_get_int(manifest, "format", &format, err) < 0)
        return -1;
    if (format < 1 || format > CAPSULE_FORMAT)
        return fail(err, ERR_UNSUPPORTED, "the capsule has format %lld, this volumed knows 1 to %d",
                    (long long)format, CAPSULE_FORMAT);
    if (json_array_size(volumes) > CAPSULE_VOLUMES_MAX ||
        json_array_size(attachments) > CAPSULE_VOLUMES_MAX)
        return fail(err, ERR_INVALID, "the capsule has more than %d volumes", CAPSULE_VOLUMES_MAX);
    uuid_make(id);
    plan->hidden = arena_printf(task->mem, "import-%s", id + strlen(id) - 8);
    plan->volumes = arena_array(task->mem, json_array_size(volumes) + 1, sizeof(*plan->volumes));
    plan->attachments =
        arena_array(task->mem, json_array_size(attachments) + 1, sizeof(*plan->attachments));
    if (read_container(task, renames, plan, err) < 0)
        return -1;
    json_array_foreach(volumes, i, item)
    {
        if (read_volume(task, item, renames, plan, err) < 0)
            return -1;
    }
    json_array_foreach(attachments, i, item)
    {
        if (read_attachment(task, item, plan, err) < 0)
            return -1;
    }
    rename_sources(task, plan);
    return 0;
}

void capsule_plan_done(struct capsule_plan *plan)
{
    json_decref(plan->config);
    json_decref(plan->host_config);
    json_decref(plan->networking);
    plan->config = plan->host_config = plan->networking = NULL;
}

int capsule_plan_check_names(struct task *task, const struct capsule_plan *plan, struct error *err)
{
    const char *holder = NULL;

    if (store_container_find_name(task->db, task->mem, plan->name, &holder, err) < 0)
        return -1;
    if (holder != NULL)
        return fail(err, ERR_CONFLICT, "there is a container '%s' already; give another name",
                    plan->name);
    for (size_t i = 0; i < plan->count; i++) {
        struct volume taken;
        int found = store_volume_find(task->db, task->mem, plan->volumes[i].name, &taken, err);
        if (found < 0)
            return -1;
        if (found > 0)
            return fail(err, ERR_CONFLICT, "there is a volume '%s' already; give another name",
                        plan->volumes[i].name);
    }
    return 0;
}

json_t *capsule_plan_bare_host(const struct capsule_plan *plan)
{
    json_t *host = json_deep_copy(plan->host_config);
    json_t *binds = json_object_get(host, "Binds");
    json_t *mounts = json_object_get(host, "Mounts");

    for (size_t i = json_array_size(binds); i-- > 0;) {
        const char *bind = json_string_value(json_array_get(binds, i));
        if (bind == NULL || bind[0] != '/')
            (void)json_array_remove(binds, i); /* it is there */
    }
    for (size_t i = json_array_size(mounts); i-- > 0;) {
        const char *type = json_string_value(json_member(json_array_get(mounts, i), "Type"));
        if (type != NULL && strcmp(type, "volume") == 0)
            (void)json_array_remove(mounts, i); /* it is there */
    }
    json_set(host, "VolumesFrom", json_null());
    return host;
}

struct attachment *capsule_plan_attachments(struct task *task, const struct capsule_plan *plan)
{
    struct attachment *list = arena_array(task->mem, plan->attachment_count + 1, sizeof(*list));

    for (size_t i = 0; i < plan->attachment_count; i++) {
        const struct capsule_volume *volume = find_volume(plan, plan->attachments[i].volume_name);
        assert(volume != NULL); /* it was found when the attachment was read */
        list[i] = plan->attachments[i];
        list[i].volume_id = volume->id;
        list[i].volume_name = volume->hidden;
        list[i].is_nocopy = true;
    }
    return list;
}

static int read_container(struct task *task, const struct pairs *renames, struct capsule_plan *plan,
                          struct error *err)
{
    const json_t *container = json_member(plan->manifest, "container");
    const char *name = "";

    plan->image_id = "";
    plan->image_name = "";
    plan->config = object_of(container, "config");
    plan->host_config = object_of(container, "host_config");
    plan->networking = object_of(container, "networking");
    if (json_get_text(container, "name", task->mem, &name, err) < 0 ||
        json_get_text(container, "image", task->mem, &plan->image_name, err) < 0 ||
        json_get_text(container, "image_id", task->mem, &plan->image_id, err) < 0)
        return -1;
    plan->old_name = name;
    plan->name = renamed(renames, name);
    return name_check("container", plan->name, err);
}

static int read_volume(struct task *task, const json_t *item, const struct pairs *renames,
                       struct capsule_plan *plan, struct error *err)
{
    struct capsule_volume *volume = &plan->volumes[plan->count];

    *volume = (struct capsule_volume){ .old_name = "", .item = item };
    if (json_get_text(item, "name", task->mem, &volume->old_name, err) < 0 ||
        json_get_bool(item, "anonymous", &volume->is_anonymous, err) < 0 ||
        pairs_from_json(&volume->labels, task->mem, json_member(item, "labels"), err) < 0 ||
        pairs_from_json(&volume->options, task->mem, json_member(item, "options"), err) < 0)
        return -1;
    if (find_volume(plan, volume->old_name) != NULL)
        return fail(err, ERR_CORRUPT, "the capsule has volume '%s' twice", volume->old_name);
    pairs_remove(&volume->options, "pool"); /* of another host */
    pairs_remove(&volume->options, "from");
    volume->name = renamed(renames, volume->old_name);
    if (volume->is_anonymous && strcmp(volume->name, volume->old_name) == 0) {
        char *fresh = arena_alloc(task->mem, HEX_ID_SIZE);
        hex_id_make(fresh);
        volume->name = fresh;
    }
    volume->hidden = arena_printf(task->mem, "%s.%zu", plan->hidden, plan->count++);
    return name_check("volume", volume->name, err);
}

static int read_attachment(struct task *task, const json_t *item, struct capsule_plan *plan,
                           struct error *err)
{
    struct attachment *attachment = &plan->attachments[plan->attachment_count++];
    const char *mode = "rw";

    *attachment = (struct attachment){
        .volume_name = "",
        .destination = "",
        .subpath = "",
        .propagation = "",
        .uid_map = "",
        .gid_map = "",
    };
    if (json_get_text(item, "volume", task->mem, &attachment->volume_name, err) < 0 ||
        json_get_text(item, "destination", task->mem, &attachment->destination, err) < 0 ||
        json_get_text(item, "subpath", task->mem, &attachment->subpath, err) < 0 ||
        json_get_text(item, "mode", task->mem, &mode, err) < 0 ||
        json_get_bool(item, "anonymous", &attachment->is_anonymous, err) < 0 ||
        json_get_bool(item, "nosuid", &attachment->is_nosuid, err) < 0 ||
        json_get_bool(item, "nodev", &attachment->is_nodev, err) < 0 ||
        json_get_bool(item, "noexec", &attachment->is_noexec, err) < 0 ||
        json_get_bool(item, "create_subpath", &attachment->can_create_subpath, err) < 0 ||
        json_get_bool(item, "standby", &attachment->is_standby, err) < 0 ||
        json_get_int(item, "wait_ms", &attachment->wait_ms, err) < 0 ||
        json_get_text(item, "propagation", task->mem, &attachment->propagation, err) < 0 ||
        json_get_text(item, "uid_map", task->mem, &attachment->uid_map, err) < 0 ||
        json_get_text(item, "gid_map", task->mem, &attachment->gid_map, err) < 0 ||
        access_mode_find(mode, &attachment->mode, err) < 0)
        return -1;
    return find_volume(plan, attachment->volume_name) != NULL
               ? 0
               : fail(err, ERR_CORRUPT, "the capsule lacks volume '%s'", attachment->volume_name);
}

static const struct capsule_volume *find_volume(const struct capsule_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->volumes[i].old_name, name) == 0)
            return &plan->volumes[i];
    return NULL;
}

/* Binds and Mounts name volumes as they were. */
static void rename_sources(struct task *task, struct capsule_plan *plan)
{
    json_t *binds = json_object_get(plan->host_config, "Binds");
    size_t i;
    json_t *mount;

    for (i = 0; i < json_array_size(binds); i++) {
        const char *bind = json_string_value(json_array_get(binds, i));
        size_t length = bind == NULL ? 0 : strcspn(bind, ":");
        const struct capsule_volume *volume =
            bind == NULL ? NULL : find_volume(plan, arena_strndup(task->mem, bind, length));
        if (volume != NULL)
            (void)json_array_set_new(
                binds, i, json_text(arena_printf(task->mem, "%s%s", volume->name, bind + length)));
    }
    json_array_foreach(json_object_get(plan->host_config, "Mounts"), i, mount)
    {
        const char *source = json_string_value(json_member(mount, "Source"));
        const struct capsule_volume *volume = source == NULL ? NULL : find_volume(plan, source);
        if (volume != NULL)
            json_set(mount, "Source", json_text(volume->name));
    }
}

static const char *renamed(const struct pairs *renames, const char *name)
{
    const char *other = pairs_get(renames, name);

    return other != NULL ? other : name;
}

/* A copy of the member, {} where it is no object.  New reference. */
static json_t *object_of(const json_t *object, const char *name)
{
    json_t *member = json_member(object, name);

    return json_is_object(member) ? json_deep_copy(member) : json_object();
}
