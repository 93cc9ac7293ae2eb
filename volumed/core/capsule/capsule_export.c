/* SPDX-License-Identifier: Apache-2.0 */
/* Writing capsules. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"
#include "core/capsule/capsule.h"
#include "core/capsule/capsule_describe.h"
#include "core/capsule/capsule_frame.h"
#include "core/capsule/capsule_tree.h"
#include "core/container/container.h"
#include "core/snapshot/set.h"
#include "core/snapshot/snapshot.h"
#include "core/volume/volume.h"

struct exporting {
    struct task *task;
    struct container container;
    enum capsule_snapshots snapshots;
    struct snapshot_set set; /* what volumes are at present */
    struct capsule_writer writer;
};

static int cut(struct exporting *exporting, struct error *err);
static void drop(struct exporting *exporting);
static int write_all(struct exporting *exporting, struct error *err);
static int describe(struct exporting *exporting, json_t *manifest, struct error *err);
static json_t *describe_volume(struct exporting *exporting, const struct snapshot *member,
                               struct error *err);
static int list_snapshots(struct exporting *exporting, const char *volume, struct snapshot **list,
                          struct error *err);
static int write_image(struct exporting *exporting, struct error *err);
static int write_volume(struct exporting *exporting, const struct snapshot *member,
                        struct error *err);
static int write_tree(struct exporting *exporting, const struct snapshot *snapshot,
                      const char *kind, const char *base, struct error *err);

int capsule_snapshots_find(const char *name, enum capsule_snapshots *which, struct error *err)
{
    static const char *const names[] = { "none", "last", "all" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(name, names[i]) != 0)
            continue;
        *which = (enum capsule_snapshots)i;
        return 0;
    }
    return fail(err, ERR_INVALID, "snapshots are 'none', 'last' or 'all', not '%s'", name);
}

int capsule_export(struct task *task, const char *container, enum capsule_snapshots snapshots,
                   const struct byte_sink *sink, struct error *err)
{
    struct exporting exporting = { .task = task,
                                   .snapshots = snapshots,
                                   .writer = { .sink = sink } };

    if (container_get(task, container, &exporting.container, err) < 0)
        return -1;
    int rc = cut(&exporting, err);
    if (rc == 0)
        rc = write_all(&exporting, err);
    drop(&exporting);
    container_done(&exporting.container);
    return rc;
}

static int cut(struct exporting *exporting, struct error *err)
{
    struct task *task = exporting->task;
    const char *const containers[] = { exporting->container.id, NULL };
    char id[UUID_SIZE];

    if (exporting->container.attachment_count == 0)
        return 0;
    uuid_make(id);
    const struct set_spec spec = {
        .name = arena_printf(task->mem, "%s.capsule-%s", exporting->container.name,
                             id + strlen(id) - 8),
        .containers = containers,
        .reason = "safety",
    };
    return set_create(task, &spec, &exporting->set, err);
}

static void drop(struct exporting *exporting)
{
    static const struct set_remove_spec removal = { .is_now = true };
    struct error err;

    if (exporting->set.id != NULL &&
        set_remove(exporting->task, exporting->set.id, &removal, &err) < 0)
        log_warn("the set of a capsule stays set=%s error=\"%s\"", exporting->set.name,
                 err.message);
}

static int write_all(struct exporting *exporting, struct error *err)
{
    cleanup_json json_t *manifest = json_object();

    if (describe(exporting, manifest, err) < 0 ||
        capsule_write_json(&exporting->writer, CAPSULE_MANIFEST, manifest, err) < 0 ||
        write_image(exporting, err) < 0)
        return -1;
    for (size_t i = 0; i < exporting->set.member_count; i++)
        if (write_volume(exporting, &exporting->set.members[i], err) < 0)
            return -1;
    return capsule_write(&exporting->writer, CAPSULE_END, NULL, 0, err);
}

static int describe(struct exporting *exporting, json_t *manifest, struct error *err)
{
    const struct container *container = &exporting->container;
    json_t *volumes = json_array();
    json_t *described = capsule_describe_container(exporting->task, container, err);
    char id[UUID_SIZE];

    json_set(manifest, "volumes", volumes);
    if (described == NULL)
        return -1;
    uuid_make(id);
    json_set(manifest, "format", json_integer(CAPSULE_FORMAT));
    json_set(manifest, "id", json_text(id));
    json_set(manifest, "created_ms", json_integer(clock_now_ms()));
    json_set(manifest, "container", described);
    json_set(manifest, "attachments", capsule_describe_attachments(container));
    for (size_t i = 0; i < exporting->set.member_count; i++) {
        json_t *volume = describe_volume(exporting, &exporting->set.members[i], err);
        if (volume == NULL)
            return -1;
        json_add(volumes, volume);
    }
    return 0;
}

static json_t *describe_volume(struct exporting *exporting, const struct snapshot *member,
                               struct error *err)
{
    struct snapshot *list = NULL;
    struct volume volume;

    if (volume_get(exporting->task, member->volume_id, &volume, err) < 0)
        return NULL;
    int count = list_snapshots(exporting, volume.id, &list, err);
    if (count < 0)
        return NULL;
    return capsule_describe_volume(exporting->task, &volume, list, count, err);
}

/* Those that go along, oldest first; sets of our own making are none of them. */
static int list_snapshots(struct exporting *exporting, const char *volume, struct snapshot **list,
                          struct error *err)
{
    struct snapshot *all = NULL;
    int count = exporting->snapshots == CAPSULE_SNAPSHOTS_NONE
                    ? 0
                    : snapshot_list(exporting->task, volume, &all, err);
    int kept = 0;

    for (int i = 0; i < count; i++)
        if (strcmp(all[i].reason, "safety") != 0)
            all[kept++] = all[i];
    if (exporting->snapshots == CAPSULE_SNAPSHOTS_LAST && kept > 1) {
        all[0] = all[kept - 1];
        kept = 1;
    }
    *list = all;
    return count < 0 ? -1 : kept;
}

static int write_image(struct exporting *exporting, struct error *err)
{
    struct capsule_writer *writer = &exporting->writer;
    struct byte_sink sink = capsule_section_sink(writer);
    struct image image = { 0 };
    const char *refs[] = { exporting->container.image_name, NULL };
    cleanup_json json_t *begin = json_pack("{s:s}", "kind", "image");

    /* The name may mean another image by now. */
    if (image_get(exporting->task, refs[0], &image, err) < 0 ||
        strcmp(image.id, exporting->container.image_id) != 0)
        refs[0] = exporting->container.image_id;
    if (capsule_write_json(writer, CAPSULE_SECTION, begin, err) < 0 ||
        image_save(exporting->task, refs, &sink, err) < 0)
        return error_prefix(err, "cannot take image '%s' along", refs[0]);
    cleanup_json json_t *end = json_pack("{s:I}", "bytes", (json_int_t)writer->section_bytes);
    return capsule_write_json(writer, CAPSULE_SECTION_END, end, err);
}

/* The oldest snapshot whole; of each later one, and of the present, what is other in it. */
static int write_volume(struct exporting *exporting, const struct snapshot *member,
                        struct error *err)
{
    struct snapshot *list = NULL;
    const char *base = NULL;
    int count = list_snapshots(exporting, member->volume_id, &list, err);

    for (int i = 0; i < count; i++) {
        if (write_tree(exporting, &list[i], "snapshot", base, err) < 0)
            return -1;
        base = list[i].name;
    }
    return count < 0 ? -1 : write_tree(exporting, member, "volume", base, err);
}

static int write_tree(struct exporting *exporting, const struct snapshot *snapshot,
                      const char *kind, const char *base, struct error *err)
{
    struct capsule_writer *writer = &exporting->writer;
    struct byte_sink sink = capsule_section_sink(writer);
    const struct capsule_tree tree = {
        .volume = snapshot->volume_id,
        .snapshot = snapshot->name,
        .base = base,
    };
    cleanup_json json_t *begin = json_pack("{s:s, s:s, s:s}", "kind", kind, "volume",
                                           snapshot->volume_name, "snapshot", snapshot->name);

    if (base != NULL)
        json_set(begin, "base", json_text(base));
    if (capsule_write_json(writer, CAPSULE_SECTION, begin, err) < 0 ||
        capsule_tree_save(exporting->task, &tree, &sink, err) < 0)
        return error_prefix(err, "cannot take '%s@%s' along", snapshot->volume_name,
                            snapshot->name);
    cleanup_json json_t *end = json_pack("{s:I}", "bytes", (json_int_t)writer->section_bytes);
    return capsule_write_json(writer, CAPSULE_SECTION_END, end, err);
}
