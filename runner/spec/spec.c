/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that read config.json, and the checks that tables cannot express. */
#include "runner/spec/spec.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/path.h"
#include "runner/container/net_device.h"
#include "runner/process/namespace.h"

#define CONFIG_MAX ((size_t)16 * 1024 * 1024)
#define S          struct spec

static const struct field id_map_fields[] = {
    FIELD_REQUIRED(U32, struct id_map, container_id, "containerID"),
    FIELD_REQUIRED(U32, struct id_map, host_id, "hostID"),
    FIELD_REQUIRED(U32, struct id_map, size, "size"),
    { .type = FIELD_END },
};

static const struct field mount_fields[] = {
    FIELD_REQUIRED(TEXT, struct mount_spec, destination, "destination"),
    FIELD(TEXT, struct mount_spec, type, "type"),
    FIELD(TEXT, struct mount_spec, source, "source"),
    FIELD(TEXTS, struct mount_spec, options, "options"),
    FIELD_LIST(struct mount_spec, uid_maps, "uidMappings", struct id_map, id_map_fields),
    FIELD_LIST(struct mount_spec, gid_maps, "gidMappings", struct id_map, id_map_fields),
    { .type = FIELD_END },
};

static const struct field namespace_fields[] = {
    FIELD_REQUIRED(TEXT, struct namespace_spec, type, "type"),
    FIELD(TEXT, struct namespace_spec, path, "path"),
    { .type = FIELD_END },
};

static const struct field device_fields[] = {
    FIELD_REQUIRED(TEXT, struct device_spec, type, "type"),
    FIELD_REQUIRED(TEXT, struct device_spec, path, "path"),
    FIELD(INT, struct device_spec, major, "major"),
    FIELD(INT, struct device_spec, minor, "minor"),
    FIELD(LIMIT, struct device_spec, mode, "fileMode"),
    FIELD(U32, struct device_spec, uid, "uid"),
    FIELD(U32, struct device_spec, gid, "gid"),
    { .type = FIELD_END },
};

static const struct field hook_fields[] = {
    FIELD_REQUIRED(TEXT, struct hook, path, "path"),
    FIELD(TEXTS, struct hook, args, "args"),
    FIELD(TEXTS, struct hook, env, "env"),
    FIELD(LIMIT, struct hook, timeout, "timeout"),
    { .type = FIELD_END },
};

/* clang-format off */
#define HOOKS(key, kind) \
    { .name = (key), .type = FIELD_ARRAY, .offset = (kind) * sizeof(struct array), .size = sizeof(struct hook), .fields = hook_fields }
#define SECTION(key, table) { .name = (key), .type = FIELD_OBJECT, .offset = 0, .fields = (table) }
/* clang-format on */

/* Offsets are those within struct array hooks[HOOK_KINDS]. */
static const struct field hooks_fields[] = {
    HOOKS("prestart", HOOK_PRESTART),
    HOOKS("createRuntime", HOOK_CREATE_RUNTIME),
    HOOKS("createContainer", HOOK_CREATE_CONTAINER),
    HOOKS("startContainer", HOOK_START_CONTAINER),
    HOOKS("poststart", HOOK_POSTSTART),
    HOOKS("poststop", HOOK_POSTSTOP),
    { .type = FIELD_END },
};

static const struct field root_fields[] = {
    FIELD_REQUIRED(TEXT, S, root_path, "path"),
    FIELD(BOOL, S, is_root_readonly, "readonly"),
    { .type = FIELD_END },
};

static const struct field offset_fields[] = {
    FIELD(LIMIT, struct time_offset, secs, "secs"),
    FIELD(LIMIT, struct time_offset, nanosecs, "nanosecs"),
    { .type = FIELD_END },
};

static const struct field offsets_fields[] = {
    FIELD_NESTED(S, boottime, "boottime", offset_fields),
    FIELD_NESTED(S, monotonic, "monotonic", offset_fields),
    { .type = FIELD_END },
};

static const struct field linux_fields[] = {
    FIELD_LIST(S, namespaces, "namespaces", struct namespace_spec, namespace_fields),
    FIELD_LIST(S, uid_maps, "uidMappings", struct id_map, id_map_fields),
    FIELD_LIST(S, gid_maps, "gidMappings", struct id_map, id_map_fields),
    SECTION("timeOffsets", offsets_fields),
    FIELD_LIST(S, devices, "devices", struct device_spec, device_fields),
    FIELD(TEXT, S, cgroups_path, "cgroupsPath"),
    FIELD_NESTED(S, resources, "resources", resources_fields),
    FIELD_JSON(S, resources_json, "resources", JSON_OBJECT),
    FIELD_JSON(S, seccomp, "seccomp", JSON_OBJECT),
    FIELD_JSON(S, sysctl, "sysctl", JSON_OBJECT),
    FIELD_JSON(S, personality, "personality", JSON_OBJECT),
    FIELD_JSON(S, memory_policy_json, "memoryPolicy", JSON_OBJECT),
    FIELD_JSON(S, intel_rdt, "intelRdt", JSON_OBJECT),
    FIELD_JSON(S, net_devices, "netDevices", JSON_OBJECT),
    FIELD(TEXTS, S, masked_paths, "maskedPaths"),
    FIELD(TEXTS, S, readonly_paths, "readonlyPaths"),
    FIELD(TEXT, S, rootfs_propagation, "rootfsPropagation"),
    FIELD(TEXT, S, mount_label, "mountLabel"),
    { .type = FIELD_END },
};

static const struct field spec_fields[] = {
    FIELD_REQUIRED(TEXT, S, version, "ociVersion"),
    SECTION("root", root_fields),
    FIELD(TEXT, S, hostname, "hostname"),
    FIELD(TEXT, S, domainname, "domainname"),
    FIELD_LIST(S, mounts, "mounts", struct mount_spec, mount_fields),
    FIELD_NESTED(S, hooks, "hooks", hooks_fields),
    FIELD_JSON(S, annotations, "annotations", JSON_OBJECT),
    SECTION("linux", linux_fields),
    { .type = FIELD_END },
};

static int spec_check(struct arena *mem, struct spec *spec, struct error *err);
static int check_namespaces(const struct spec *spec, struct error *err);
static int check_texts(json_t *object, const char *name, struct error *err);
static int check_hooks(const struct spec *spec, struct error *err);
static int check_refused(const struct spec *spec, struct error *err);

int spec_read(struct arena *mem, const char *bundle, const char *config, struct spec **spec,
              struct error *err)
{
    char path[PATH_MAX];
    size_t size = 0;
    char *text;

    if (realpath(bundle, path) == NULL)
        return fail(err, ERR_NOT_FOUND, "cannot find bundle '%s'", bundle);
    const char *name = config != NULL ? config : arena_printf(mem, "%s/config.json", path);
    if (fs_read_file(mem, AT_FDCWD, name, CONFIG_MAX, &text, &size, err) < 0)
        return -1;
    if (spec_parse(mem, path, text, size, spec, err) < 0)
        return error_prefix(err, "%s", path_base(name));
    return 0;
}

int spec_parse(struct arena *mem, const char *bundle, char *text, size_t size, struct spec **spec,
               struct error *err)
{
    struct spec *read = arena_alloc(mem, sizeof(*read));
    cleanup_json json_t *json = fields_parse(text, size, err);

    if (json == NULL)
        return -1;
    read->process_storage = arena_alloc(mem, sizeof(*read->process_storage));
    read->process = read->process_storage;
    read->bundle = arena_strdup(mem, bundle);
    const json_t *process = json_object_get(json, "process");
    if (process == NULL)
        return fail(err, ERR_INVALID, "'process' is missing");
    if (fields_read(mem, "", json, spec_fields, read, err) < 0 ||
        fields_read(mem, "process", process, process_fields, read->process_storage, err) < 0 ||
        spec_check(mem, read, err) < 0)
        return -1;
    read->json = json_incref(json);
    *spec = read;
    return 0;
}

void spec_close(struct spec *spec)
{
    if (spec == NULL)
        return;
    json_decref(spec->json);
    spec->json = NULL;
}

int hooks_read(struct arena *mem, const json_t *json, struct array hooks[HOOK_KINDS],
               struct error *err)
{
    return fields_read(mem, "hooks", json, hooks_fields, hooks, err);
}

const char *spec_annotation(const json_t *annotations, const char *name, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(annotations, name));

    return text != NULL ? text : otherwise;
}

static int spec_check(struct arena *mem, struct spec *spec, struct error *err)
{
    if (strncmp(spec->version, "1.", 2) != 0)
        return fail(err, ERR_INVALID, "unsupported 'ociVersion' %s", spec->version);
    if (spec->root_path == NULL)
        return fail(err, ERR_INVALID, "'root.path' is missing");
    if (spec->root_path[0] != '/')
        spec->root_path = arena_printf(mem, "%s/%s", spec->bundle, spec->root_path);
    for (size_t i = 0; i < spec->mounts.count; i++) {
        struct mount_spec *mount = ARRAY_ITEM(spec->mounts, struct mount_spec, i);
        mount->destination = path_clean(mem, mount->destination);
    }
    if (process_check(spec->process_storage, err) < 0 || check_namespaces(spec, err) < 0 ||
        check_texts(spec->sysctl, "linux.sysctl", err) < 0 ||
        check_texts(spec->annotations, "annotations", err) < 0 || check_hooks(spec, err) < 0)
        return -1;
    if (check_refused(spec, err) < 0 || net_devices_check(spec->net_devices, err) < 0)
        return -1;
    return memory_policy_read(spec->memory_policy_json, &spec->memory_policy, err);
}

static int check_namespaces(const struct spec *spec, struct error *err)
{
    unsigned int seen = 0;

    for (size_t i = 0; i < spec->namespaces.count; i++) {
        const struct namespace_spec *ns = ARRAY_ITEM(spec->namespaces, struct namespace_spec, i);
        int kind = namespace_kind_find(ns->type);
        if (kind < 0)
            return fail(err, ERR_INVALID, "unknown namespace '%s'", ns->type);
        if ((seen & (1u << kind)) != 0)
            return fail(err, ERR_INVALID, "namespace '%s' is given twice", ns->type);
        seen |= 1u << kind;
    }
    if ((seen & (1u << NAMESPACE_MOUNT)) == 0)
        return fail(err, ERR_UNSUPPORTED, "a container without a mount namespace is not supported");
    if ((seen & (1u << NAMESPACE_USER)) == 0 && spec->uid_maps.count + spec->gid_maps.count > 0)
        return fail(err, ERR_INVALID, "id mappings without a user namespace");
    if ((seen & (1u << NAMESPACE_NETWORK)) == 0 && json_object_size(spec->net_devices) > 0)
        return fail(err, ERR_INVALID, "network devices without a network namespace");
    if ((seen & (1u << NAMESPACE_UTS)) == 0 && (spec->hostname != NULL || spec->domainname != NULL))
        return fail(err, ERR_INVALID, "a host name without a uts namespace");
    return 0;
}

static int check_texts(json_t *object, const char *name, struct error *err)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        if (!json_is_string(value))
            return fail(err, ERR_INVALID, "'%s.%s' must be a string", name, key);
    }
    return 0;
}

static int check_hooks(const struct spec *spec, struct error *err)
{
    for (int kind = 0; kind < HOOK_KINDS; kind++)
        for (size_t i = 0; i < spec->hooks[kind].count; i++) {
            const struct hook *hook = ARRAY_ITEM(spec->hooks[kind], struct hook, i);
            if (hook->path[0] != '/')
                return fail(err, ERR_INVALID, "the path of a hook must be absolute: '%s'",
                            hook->path);
            if (hook->timeout.is_set && hook->timeout.value <= 0)
                return fail(err, ERR_INVALID, "the timeout of a hook must be positive");
        }
    return 0;
}

/* What we know and cannot do is refused here, before anything is made. */
static int check_refused(const struct spec *spec, struct error *err)
{
    if (spec->intel_rdt != NULL)
        return fail(err, ERR_UNSUPPORTED, "'linux.intelRdt' is not supported");
    return 0;
}
