/* SPDX-License-Identifier: Apache-2.0 */
/* Building and reading the JSON of states. */
#include "runner/container/container_state.h"

#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "runner/spec/field.h"

static json_t *oci_state(const char *id, pid_t pid, enum container_status status,
                         const char *bundle, json_t *annotations);
static void set_borrowed(json_t *object, const char *key, json_t *value);
static const char *owner_name(char text[16]);

json_t *container_state_of_spec(const struct spec *spec, const char *id, pid_t pid,
                                enum container_status status)
{
    return oci_state(id, pid, status, spec->bundle, spec->annotations);
}

json_t *container_state_json(const struct container *container, enum container_status status)
{
    json_t *state = oci_state(container->id, status == CONTAINER_STOPPED ? 0 : container->pid,
                              status, container->bundle, container->annotations);

    json_set(state, "rootfs", json_text_or_empty(container->rootfs));
    json_set(state, "created", json_time_ns(container->created_ns));
    json_set(state, "owner", json_text_or_empty(container->owner));
    return state;
}

json_t *container_state_stored(const struct spec *spec, const struct container *container,
                               const struct namespaces *namespaces, const struct filter *filter)
{
    char owner[16];
    json_t *state = json_object();

    json_set(state, "id", json_text(container->id));
    json_set(state, "pid", json_integer(container->pid));
    json_set(state, "startTicks", json_integer((json_int_t)container->start_ticks));
    json_set(state, "created", json_integer(container->created_ns));
    json_set(state, "bundle", json_text(spec->bundle));
    json_set(state, "rootfs", json_text(spec->root_path));
    json_set(state, "owner", json_text(owner_name(owner)));
    json_set(state, "namespaces",
             json_integer((json_int_t)(namespaces->new_flags | namespaces->joined_flags)));
    json_set(state, "cgroup", cgroup_json(container->cgroup));
    set_borrowed(state, "annotations", spec->annotations);
    set_borrowed(state, "hooks", json_object_get(spec->json, "hooks"));
    set_borrowed(state, "process", json_object_get(spec->json, "process"));
    set_borrowed(state, "personality", spec->personality);
    if (filter->program != NULL)
        json_set(state, "seccomp",
                 json_pack("{s:I, s:s?, s:s?}", "flags", (json_int_t)filter->flags, "listenerPath",
                           filter->listener_path, "listenerMetadata", filter->listener_metadata));
    return state;
}

int container_state_restore(struct arena *mem, struct container *container, struct error *err)
{
    struct stored {
        int64_t pid;
        int64_t start_ticks;
        int64_t created_ns;
        const char *bundle;
        const char *rootfs;
        const char *owner;
        json_t *annotations;
        json_t *cgroup;
    };
    static const struct field fields[] = {
        FIELD_REQUIRED(INT, struct stored, pid, "pid"),
        FIELD_REQUIRED(INT, struct stored, start_ticks, "startTicks"),
        FIELD_REQUIRED(INT, struct stored, created_ns, "created"),
        FIELD_REQUIRED(TEXT, struct stored, bundle, "bundle"),
        FIELD_REQUIRED(TEXT, struct stored, rootfs, "rootfs"),
        FIELD_REQUIRED(TEXT, struct stored, owner, "owner"),
        FIELD_JSON(struct stored, annotations, "annotations", JSON_OBJECT),
        FIELD_JSON(struct stored, cgroup, "cgroup", JSON_OBJECT),
        { .type = FIELD_END },
    };
    struct stored stored = { 0 };

    if (fields_read(mem, "", container->state, fields, &stored, err) < 0 ||
        cgroup_load(mem, stored.cgroup, &container->cgroup, err) < 0)
        return -1;
    container->pid = (pid_t)stored.pid;
    container->start_ticks = (uint64_t)stored.start_ticks;
    container->created_ns = stored.created_ns;
    container->bundle = stored.bundle;
    container->rootfs = stored.rootfs;
    container->owner = stored.owner;
    container->annotations = stored.annotations;
    return 0;
}

static json_t *oci_state(const char *id, pid_t pid, enum container_status status,
                         const char *bundle, json_t *annotations)
{
    json_t *state = json_object();

    json_set(state, "ociVersion", json_string(SPEC_VERSION_MAX));
    json_set(state, "id", json_text(id));
    json_set(state, "pid", json_integer(pid));
    json_set(state, "status", json_string(container_status_name(status)));
    json_set(state, "bundle", json_text_or_empty(bundle));
    set_borrowed(state, "annotations", annotations);
    return state;
}

static void set_borrowed(json_t *object, const char *key, json_t *value)
{
    if (value != NULL)
        json_set(object, key, json_incref(value));
}

static const char *owner_name(char text[16])
{
    uid_t uid = geteuid();

    if (uid == 0)
        return "root";
    (void)snprintf(text, 16, "%u", uid); /* fits */
    return text;
}
