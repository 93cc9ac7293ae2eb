/* SPDX-License-Identifier: Apache-2.0 */
/* Making a replica: clones, then a container by the template's options on them, then its start. */
#include <string.h>

#include "base/clock.h"
#include "core/container/container.h"
#include "core/image/image.h"
#include "core/recreate/recreate_spec.h"
#include "core/replica/replica.h"
#include "core/volume/volume.h"

static int make_container(struct scale_run *run, struct replica *replica, const char *name,
                          struct error *err);
static int clone_volumes(struct scale_run *run, const struct replica *replica,
                         struct container *template, struct error *err);
static int fill_spec(struct scale_run *run, const char *name, const struct container *template,
                     struct container_spec *spec, struct error *err);
static void leave_fresh(struct task *task, struct container_spec *spec);
static void make_own(struct scale_run *run, const char *name, struct container_spec *spec);
static int check_own(const struct volume *volume, const char *name, struct error *err);

int replica_make(struct scale_run *run, struct replica *replica, struct error *err)
{
    struct task *task = run->task;
    const char *name = replica_name(task->mem, replica->group_name, replica->number);
    cleanup_container struct container container = { 0 };

    if (container_get(task, name, &container, err) == 0 && strcmp(container.name, name) == 0) {
        const json_t *label =
            json_object_get(json_object_get(container.config, "Labels"), REPLICA_LABEL);
        if (label == NULL || strcmp(json_string_value(label), name) != 0)
            return fail(err, ERR_CONFLICT, "there is a container %s that is no replica", name);
    } else if (make_container(run, replica, name, err) < 0) {
        return -1;
    }
    int rc = replica_start(task, name, err) < 0 ? -1 : replica_await(run, name, err);
    if (rc != 0)
        return rc;
    replica->made_ms = clock_now_ms();
    return replica_save(run, replica, "ready", err);
}

int replica_clone(struct scale_run *run, const struct replica *replica,
                  const struct replica_clone *clone, struct volume *volume, struct error *err)
{
    struct task *task = run->task;
    const char *name = replica_name(task->mem, replica->group_name, replica->number);
    struct volume_spec spec = VOLUME_SPEC_EMPTY;
    bool is_new;
    enum cost cost;

    if (volume_get(task, clone->name, volume, err) == 0)
        return check_own(volume, name, err);
    if (err->code != ERR_NOT_FOUND)
        return -1;
    spec.name = clone->name;
    spec.from_volume = clone->source->volume_id;
    spec.from_snapshot = clone->source->id;
    pairs_set(&spec.labels, task->mem, REPLICA_LABEL, name);
    pairs_set(&spec.labels, task->mem, REPLICA_SCALING_LABEL, run->scaling->id);
    if (clone->size != NULL)
        pairs_set(&spec.options, task->mem, "size", clone->size);
    if (clone->inodes != NULL)
        pairs_set(&spec.options, task->mem, "inodes", clone->inodes);
    return volume_create(task, &spec, volume, &is_new, &cost, err);
}

static int make_container(struct scale_run *run, struct replica *replica, const char *name,
                          struct error *err)
{
    struct task *task = run->task;
    cleanup_container struct container template = { 0 };
    cleanup_recreate_spec struct container_spec spec = { 0 };
    const char *const *warnings;
    const char *id;

    if (container_get(task, run->group.name, &template, err) < 0 ||
        scale_check_template(&template, &run->golden, err) < 0 ||
        clone_volumes(run, replica, &template, err) < 0 ||
        fill_spec(run, name, &template, &spec, err) < 0)
        return -1;
    return container_create(task, &spec, &id, &warnings, err);
}

/* Afterwards the template's attachments, here alone, are to the clones. */
static int clone_volumes(struct scale_run *run, const struct replica *replica,
                         struct container *template, struct error *err)
{
    struct task *task = run->task;
    const char *name = replica_name(task->mem, replica->group_name, replica->number);

    for (size_t i = 0; i < template->attachment_count; i++) {
        struct attachment *attachment = &template->attachments[i];
        const struct snapshot *source = golden_of_volume(&run->golden, attachment->volume_id);
        struct volume volume;
        if (source == NULL || attachment->snapshot != NULL)
            continue;
        const struct replica_clone clone = {
            .source = source,
            .name = replica_volume_name(task, name, attachment),
            .size = run->group.size[0] != '\0' ? run->group.size : NULL,
        };
        if (replica_clone(run, replica, &clone, &volume, err) < 0)
            return error_prefix(err, "cannot clone '%s'", attachment->volume_name);
        attachment->volume_id = volume.id;
        attachment->volume_name = volume.name;
        attachment->is_anonymous = false;
    }
    return 0;
}

static int fill_spec(struct scale_run *run, const char *name, const struct container *template,
                     struct container_spec *spec, struct error *err)
{
    struct task *task = run->task;
    struct image image;
    struct error ignored; /* then the id tells */
    cleanup_json json_t *change = json_object();

    /* What its name is now may be another image. */
    if (image_get(task, template->image_name, &image, &ignored) < 0 ||
        strcmp(image.id, template->image_id) != 0)
        json_set(change, "Image", json_text(template->image_id));
    if (recreate_spec_fill(task, template, change, spec, err) < 0)
        return -1;
    spec->name = name;
    leave_fresh(task, spec);
    make_own(run, name, spec);
    return 0;
}

/* An anonymous volume that is not in the golden state: each replica gets its own. */
static void leave_fresh(struct task *task, struct container_spec *spec)
{
    struct attachment *carried = arena_array(task->mem, spec->carried_count + 1, sizeof(*carried));
    size_t count = 0;

    for (size_t i = 0; i < spec->carried_count; i++)
        if (!spec->carried[i].is_anonymous)
            carried[count++] = spec->carried[i];
    spec->carried = carried;
    spec->carried_count = count;
}

/* It stops for a refresh, which must not be its end; the volumes of others are attached by now. */
static void make_own(struct scale_run *run, const char *name, struct container_spec *spec)
{
    json_t *labels = json_object_get(spec->config, "Labels");

    if (!json_is_object(labels)) {
        labels = json_object();
        json_set(spec->config, "Labels", labels);
    }
    json_set(labels, REPLICA_LABEL, json_text(name));
    json_set(labels, REPLICA_OF_LABEL, json_text(run->group.name));
    json_set(labels, REPLICA_SOURCE_LABEL, json_text(run->group.source_name));
    json_set(labels, REPLICA_SCALING_LABEL, json_text(run->scaling->id));
    json_set(spec->config, "Hostname", json_text(name));
    json_set(spec->host_config, "AutoRemove", json_false());
    json_set(spec->host_config, "VolumesFrom", json_null());
}

static int check_own(const struct volume *volume, const char *name, struct error *err)
{
    const char *label = pairs_get(&volume->labels, REPLICA_LABEL);

    if (label != NULL && strcmp(label, name) == 0)
        return 0;
    return fail(err, ERR_CONFLICT, "there is a volume '%s' that is not replica %s's", volume->name,
                name);
}
