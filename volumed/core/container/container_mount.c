/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gathers the wishes in Docker's order of precedence.  What VolumesFrom brings may be replaced by
 * any later wish for the same place; two wishes of the client itself for one place are an error.
 */
#include "core/container/container_mount.h"

#include <string.h>

#include "core/attachment/attachment.h"
#include "core/attachment/bind_spec.h"
#include "core/container/container.h"

enum wish_class {
    WISH_INHERITED, /* from VolumesFrom */
    WISH_SAID,      /* by the client */
};

struct wish {
    enum wish_class class;
    const char *destination;
    struct attachment attachment; /* when 'other' is NULL */
    json_t *other;                /* a bind or tmpfs; owned */
};

struct wishes {
    struct task *task;
    struct wish *items;
    size_t count;
    size_t capacity;
};

static void wishes_done(struct wishes *wishes);
static int gather(struct wishes *wishes, const json_t *config, const json_t *host_config,
                  struct error *err);
static int gather_volumes_from(struct wishes *wishes, const json_t *host_config, struct error *err);
static int inherit(struct wishes *wishes, const char *text, struct error *err);
static int gather_binds(struct wishes *wishes, const json_t *host_config, struct error *err);
static int gather_mounts(struct wishes *wishes, const json_t *host_config, struct error *err);
static int gather_tmpfs(struct wishes *wishes, const json_t *host_config, struct error *err);
static int gather_anonymous(struct wishes *wishes, const json_t *config, const json_t *host_config,
                            struct error *err);
static int add(struct wishes *wishes, struct wish wish, struct error *err);
static struct wish *find(const struct wishes *wishes, const char *destination);
static struct wish wish_of_bind(const struct bind_spec *spec, const char *driver);
static const char *volume_driver(const json_t *host_config);
static void sort_out(struct wishes *wishes, struct mount_plan *plan);

int mount_plan_make(struct task *task, const json_t *config, const json_t *host_config,
                    struct mount_plan *plan, struct error *err)
{
    struct wishes wishes = { .task = task };
    int rc = gather(&wishes, config, host_config, err);

    if (rc == 0)
        sort_out(&wishes, plan);
    wishes_done(&wishes);
    return rc;
}

static void wishes_done(struct wishes *wishes)
{
    for (size_t i = 0; i < wishes->count; i++)
        json_decref(wishes->items[i].other);
}

static int gather(struct wishes *wishes, const json_t *config, const json_t *host_config,
                  struct error *err)
{
    if (gather_volumes_from(wishes, host_config, err) < 0 ||
        gather_binds(wishes, host_config, err) < 0 || gather_mounts(wishes, host_config, err) < 0 ||
        gather_tmpfs(wishes, host_config, err) < 0)
        return -1;
    return gather_anonymous(wishes, config, host_config, err);
}

static int gather_volumes_from(struct wishes *wishes, const json_t *host_config, struct error *err)
{
    size_t i;
    json_t *text;

    json_array_foreach(json_object_get(host_config, "VolumesFrom"), i, text)
    {
        if (inherit(wishes, json_string_value(text), err) < 0)
            return -1;
    }
    return 0;
}

/* Everything of another container: its volumes and its binds, not its tmpfs. */
static int inherit(struct wishes *wishes, const char *text, struct error *err)
{
    struct task *task = wishes->task;
    cleanup_container struct container source = { 0 };
    struct attachment *copies = NULL;
    size_t count = 0;
    const char *ref;
    bool is_read_only;
    size_t i;
    json_t *mount;

    if (volumes_from_parse(task->mem, text, &ref, &is_read_only, err) < 0 ||
        container_get(task, ref, &source, err) < 0 ||
        attachment_copy(task, source.id, is_read_only, &copies, &count, err) < 0)
        return -1;
    for (size_t k = 0; k < count; k++)
        if (add(wishes,
                (struct wish){ .destination = copies[k].destination, .attachment = copies[k] },
                err) < 0)
            return -1;
    json_array_foreach(source.mounts, i, mount)
    {
        if (strcmp(json_string_value(json_object_get(mount, "Type")), "bind") != 0)
            continue;
        json_t *copy = json_deep_copy(mount);
        if (is_read_only)
            json_set(copy, "RW", json_false());
        const char *destination = json_string_value(json_object_get(copy, "Destination"));
        if (add(wishes, (struct wish){ .destination = destination, .other = copy }, err) < 0)
            return -1;
    }
    return 0;
}

static int gather_binds(struct wishes *wishes, const json_t *host_config, struct error *err)
{
    const char *driver = volume_driver(host_config);
    size_t i;
    json_t *text;

    json_array_foreach(json_object_get(host_config, "Binds"), i, text)
    {
        struct bind_spec spec;
        if (bind_spec_parse(wishes->task->mem, json_string_value(text), &spec, err) < 0 ||
            add(wishes, wish_of_bind(&spec, driver), err) < 0)
            return -1;
    }
    return 0;
}

static struct wish wish_of_bind(const struct bind_spec *spec, const char *driver)
{
    struct wish wish = { .class = WISH_SAID, .destination = spec->destination };

    if (spec->is_host_path) {
        wish.other = json_pack(
            "{ss ss ss ss sb ss sb sb sb}", "Type", "bind", "Source", spec->source, "Destination",
            spec->destination, "Mode", spec->mode, "RW", !spec->is_read_only, "Propagation",
            spec->propagation[0] != '\0' ? spec->propagation : "rprivate", "NonRecursive", false,
            "ReadOnlyNonRecursive", false, "IsCreated", true);
        return wish;
    }
    wish.attachment = bind_spec_attachment(spec);
    wish.attachment.driver = driver;
    return wish;
}

static int gather_mounts(struct wishes *wishes, const json_t *host_config, struct error *err)
{
    size_t i;
    json_t *mount;

    json_array_foreach(json_object_get(host_config, "Mounts"), i, mount)
    {
        struct wish wish = { .class = WISH_SAID };
        if (mount_spec_parse(wishes->task->mem, mount, &wish.attachment, &wish.other, err) < 0)
            return -1;
        wish.destination = wish.other == NULL
                               ? wish.attachment.destination
                               : json_string_value(json_object_get(wish.other, "Destination"));
        if (add(wishes, wish, err) < 0)
            return -1;
    }
    return 0;
}

static int gather_tmpfs(struct wishes *wishes, const json_t *host_config, struct error *err)
{
    const char *path;
    json_t *options;

    json_object_foreach(json_object_get(host_config, "Tmpfs"), path, options)
    {
        struct wish wish = { .class = WISH_SAID };
        const char *clean;
        const char *text = json_is_string(options) ? json_string_value(options) : "";
        if (mount_destination_clean(wishes->task->mem, "tmpfs", path, &clean, err) < 0)
            return -1;
        wish.destination = clean;
        wish.other = json_pack("{ss ss sb ss sb}", "Type", "tmpfs", "Destination", clean, "RW",
                               true, "Options", text, "IsListed", false);
        if (add(wishes, wish, err) < 0)
            return -1;
    }
    return 0;
}

/* Config.Volumes: only where nothing else is wanted. */
static int gather_anonymous(struct wishes *wishes, const json_t *config, const json_t *host_config,
                            struct error *err)
{
    struct bind_spec spec = { .mode = "", .propagation = "" };
    const char *driver = volume_driver(host_config);
    const char *path;
    json_t *unused;

    json_object_foreach(json_object_get(config, "Volumes"), path, unused)
    {
        if (mount_destination_clean(wishes->task->mem, "volume", path, &spec.destination, err) < 0)
            return -1;
        if (find(wishes, spec.destination) == NULL &&
            add(wishes, wish_of_bind(&spec, driver), err) < 0)
            return -1;
    }
    return 0;
}

/* Takes over wish.other, also on failure. */
static int add(struct wishes *wishes, struct wish wish, struct error *err)
{
    struct wish *former = find(wishes, wish.destination);

    if (former != NULL && former->class == WISH_SAID) {
        int rc = fail(err, ERR_INVALID, "Duplicate mount point: %s", wish.destination);
        json_decref(wish.other);
        return rc;
    }
    if (former != NULL) {
        json_decref(former->other);
        *former = wish;
        return 0;
    }
    if (wishes->count == wishes->capacity) {
        struct wish *old = wishes->items;
        wishes->capacity = wishes->capacity == 0 ? 8 : wishes->capacity * 2;
        wishes->items = arena_array(wishes->task->mem, wishes->capacity, sizeof(*old));
        if (old != NULL)
            memcpy(wishes->items, old, wishes->count * sizeof(*old));
    }
    wishes->items[wishes->count++] = wish;
    return 0;
}

static struct wish *find(const struct wishes *wishes, const char *destination)
{
    for (size_t i = 0; i < wishes->count; i++)
        if (strcmp(wishes->items[i].destination, destination) == 0)
            return &wishes->items[i];
    return NULL;
}

static const char *volume_driver(const json_t *host_config)
{
    const char *driver = json_string_value(json_object_get(host_config, "VolumeDriver"));

    return driver != NULL && driver[0] != '\0' ? driver : NULL;
}

static void sort_out(struct wishes *wishes, struct mount_plan *plan)
{
    struct arena *mem = wishes->task->mem;

    *plan = (struct mount_plan){ .mounts = json_array() };
    plan->attachments = arena_array(mem, wishes->count + 1, sizeof(*plan->attachments));
    for (size_t i = 0; i < wishes->count; i++) {
        struct wish *wish = &wishes->items[i];
        if (wish->other != NULL)
            json_array_append(plan->mounts, wish->other);
        else
            plan->attachments[plan->attachment_count++] = wish->attachment;
    }
}
