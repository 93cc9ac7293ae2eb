/* SPDX-License-Identifier: Apache-2.0 */
/* One element of Docker's HostConfig.Mounts: the long form of a mount. */
#include <fcntl.h>
#include <string.h>

#include "base/path.h"
#include "base/sys.h"
#include "core/attachment/bind_spec.h"
#include "core/container/container_mount.h"

struct wanted {
    const char *type;
    const char *source;
    const char *destination; /* cleaned */
    bool is_read_only;
};

static int read_common(struct arena *mem, const json_t *mount, struct wanted *wanted,
                       struct error *err);
static int parse_volume(struct arena *mem, const json_t *mount, const struct wanted *wanted,
                        struct attachment *attachment, struct error *err);
static int take_options(struct arena *mem, struct attachment *attachment, struct error *err);
static int parse_bind(const json_t *mount, const struct wanted *wanted, json_t **bind,
                      struct error *err);
static int parse_tmpfs(struct arena *mem, const json_t *mount, const struct wanted *wanted,
                       json_t **tmpfs, struct error *err);
static int refuse_options(const json_t *mount, const char *type, const char *const *names,
                          struct error *err);

int mount_spec_parse(struct arena *mem, const json_t *mount, struct attachment *attachment,
                     json_t **other, struct error *err)
{
    struct wanted wanted = { 0 };

    if (read_common(mem, mount, &wanted, err) < 0)
        return -1;
    if (strcmp(wanted.type, "volume") == 0)
        return parse_volume(mem, mount, &wanted, attachment, err);
    if (strcmp(wanted.type, "bind") == 0) {
        wanted.source = path_clean(mem, wanted.source);
        return parse_bind(mount, &wanted, other, err);
    }
    return parse_tmpfs(mem, mount, &wanted, other, err);
}

static int read_common(struct arena *mem, const json_t *mount, struct wanted *wanted,
                       struct error *err)
{
    const char *target = "";

    *wanted = (struct wanted){ .type = "", .source = "" };
    if (!json_is_object(mount))
        return fail(err, ERR_INVALID, "invalid JSON: a mount is not an object");
    if (json_get_text(mount, "Type", mem, &wanted->type, err) < 0 ||
        json_get_text(mount, "Source", mem, &wanted->source, err) < 0 ||
        json_get_text(mount, "Target", mem, &target, err) < 0 ||
        json_get_bool(mount, "ReadOnly", &wanted->is_read_only, err) < 0)
        return -1;
    if (strcmp(wanted->type, "volume") != 0 && strcmp(wanted->type, "bind") != 0 &&
        strcmp(wanted->type, "tmpfs") != 0)
        return fail(err, ERR_INVALID, "invalid mount config for type \"%s\": mount type unknown",
                    wanted->type);
    return mount_destination_clean(mem, wanted->type, target, &wanted->destination, err);
}

static int parse_volume(struct arena *mem, const json_t *mount, const struct wanted *wanted,
                        struct attachment *attachment, struct error *err)
{
    static const char *const foreign[] = { "BindOptions", "TmpfsOptions", NULL };
    const json_t *options = json_member(mount, "VolumeOptions");
    const json_t *driver = json_member(options, "DriverConfig");
    struct attachment made = {
        .destination = wanted->destination,
        .subpath = "",
        .mode = wanted->is_read_only ? ACCESS_RO : ACCESS_RW,
        .propagation = "",
        .uid_map = "",
        .gid_map = "",
        .is_nosuid = true,
        .is_nodev = true,
    };
    bool is_exclusive = false;

    if (wanted->source[0] != '\0')
        made.volume_name = wanted->source;
    else
        made.is_anonymous = true;
    if (refuse_options(mount, "volume", foreign, err) < 0 ||
        json_get_bool(options, "NoCopy", &made.is_nocopy, err) < 0 ||
        json_get_text(options, "Subpath", mem, &made.subpath, err) < 0 ||
        json_get_bool(options, "CreateSubpath", &made.can_create_subpath, err) < 0 ||
        json_get_bool(options, "Exclusive", &is_exclusive, err) < 0 ||
        pairs_from_json(&made.labels, mem, json_member(options, "Labels"), err) < 0 ||
        json_get_text(driver, "Name", mem, &made.driver, err) < 0 ||
        pairs_from_json(&made.driver_options, mem, json_member(driver, "Options"), err) < 0 ||
        take_options(mem, &made, err) < 0)
        return -1;
    if (made.subpath[0] != '\0' && made.volume_name == NULL)
        return fail(err, ERR_INVALID,
                    "invalid mount config for type \"volume\": must not set Subpath when using"
                    " anonymous volumes");
    is_exclusive = is_exclusive || made.mode == ACCESS_EXCLUSIVE;
    if (is_exclusive && wanted->is_read_only)
        return fail(err, ERR_INVALID,
                    "invalid mount config for type \"volume\": Exclusive and ReadOnly exclude each"
                    " other");
    if (is_exclusive)
        made.mode = ACCESS_EXCLUSIVE;
    *attachment = made;
    return 0;
}

/* Those of the attachment (volume-opt=snapshot=NAME) leave the list; the rest is the volume's. */
static int take_options(struct arena *mem, struct attachment *attachment, struct error *err)
{
    const struct pairs given = attachment->driver_options;
    struct pairs rest = { 0 };

    for (size_t i = 0; i < given.count; i++) {
        const char *key = given.items[i].key;
        const char *value = given.items[i].value;
        bool is_on = strcmp(value, "false") != 0;
        if (strcmp(key, "snapshot") == 0)
            attachment->snapshot = value;
        else if (strcmp(key, "scratch") == 0)
            attachment->is_scratch = is_on;
        else if (strcmp(key, "standby") == 0)
            attachment->is_standby = is_on;
        else if (strcmp(key, "exclusive") == 0 && is_on)
            attachment->mode = ACCESS_EXCLUSIVE;
        else if (strcmp(key, "wait") != 0)
            pairs_set(&rest, mem, key, value);
        else if (wait_parse(value, &attachment->wait_ms) < 0)
            return fail(err, ERR_INVALID,
                        "invalid mount config for type \"volume\": 'wait' needs a time like"
                        " '30s', not '%s'",
                        value);
    }
    attachment->driver_options = rest;
    return 0;
}

static int parse_bind(const json_t *mount, const struct wanted *wanted, json_t **bind,
                      struct error *err)
{
    static const char *const foreign[] = { "VolumeOptions", "TmpfsOptions", NULL };
    const json_t *options = json_member(mount, "BindOptions");
    const json_t *propagation = json_member(options, "Propagation");
    const char *name =
        json_string_length(propagation) > 0 ? json_string_value(propagation) : "rprivate";
    bool is_non_recursive = false;
    bool is_shallow_ro = false;
    bool is_created = false;
    struct stat st;

    if (refuse_options(mount, "bind", foreign, err) < 0 ||
        json_get_bool(options, "NonRecursive", &is_non_recursive, err) < 0 ||
        json_get_bool(options, "ReadOnlyNonRecursive", &is_shallow_ro, err) < 0 ||
        json_get_bool(options, "CreateMountpoint", &is_created, err) < 0)
        return -1;
    if (!propagation_is_valid(name))
        return fail(err, ERR_INVALID,
                    "invalid mount config for type \"bind\": invalid propagation"
                    " mode: %s",
                    name);
    if (json_string_length(json_member(mount, "Source")) == 0)
        return fail(err, ERR_INVALID,
                    "invalid mount config for type \"bind\": field Source must not be empty");
    if (json_string_value(json_member(mount, "Source"))[0] != '/')
        return fail(err, ERR_INVALID,
                    "invalid mount config for type \"bind\": invalid mount path: '%s' mount path"
                    " must be absolute",
                    json_string_value(json_member(mount, "Source")));
    if (!is_created && sys_fstatat(AT_FDCWD, wanted->source, &st, 0) < 0)
        return fail(err, ERR_INVALID,
                    "invalid mount config for type \"bind\": bind source path does not exist: %s",
                    wanted->source);
    *bind = json_pack("{ss ss ss ss sb ss sb sb sb}", "Type", "bind", "Source", wanted->source,
                      "Destination", wanted->destination, "Mode", "", "RW", !wanted->is_read_only,
                      "Propagation", name, "NonRecursive", is_non_recursive, "ReadOnlyNonRecursive",
                      is_shallow_ro, "IsCreated", is_created);
    return 0;
}

static int parse_tmpfs(struct arena *mem, const json_t *mount, const struct wanted *wanted,
                       json_t **tmpfs, struct error *err)
{
    static const char *const foreign[] = { "VolumeOptions", "BindOptions", NULL };
    const json_t *options = json_member(mount, "TmpfsOptions");
    int64_t size_bytes = 0;
    int64_t mode = 0;
    const char *text = "";

    if (refuse_options(mount, "tmpfs", foreign, err) < 0 ||
        json_get_int(options, "SizeBytes", &size_bytes, err) < 0 ||
        json_get_int(options, "Mode", &mode, err) < 0)
        return -1;
    if (wanted->source[0] != '\0')
        return fail(err, ERR_INVALID,
                    "invalid mount config for type \"tmpfs\": field Source must not be specified");
    if (size_bytes < 0 || mode < 0 || mode > 07777)
        return fail(err, ERR_INVALID, "invalid mount config for type \"tmpfs\": bad size or mode");
    if (size_bytes > 0)
        text = arena_printf(mem, "size=%lld", (long long)size_bytes);
    if (mode > 0)
        text = arena_printf(mem, "%s%smode=%o", text, text[0] == '\0' ? "" : ",", (unsigned)mode);
    *tmpfs = json_pack("{ss ss sb ss sb}", "Type", "tmpfs", "Destination", wanted->destination,
                       "RW", !wanted->is_read_only, "Options", text, "IsListed", true);
    return 0;
}

static int refuse_options(const json_t *mount, const char *type, const char *const *names,
                          struct error *err)
{
    for (; *names != NULL; names++)
        if (json_member(mount, *names) != NULL)
            return fail(err, ERR_INVALID,
                        "invalid mount config for type \"%s\": field %s must not be specified",
                        type, *names);
    return 0;
}
