/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a container of a capsule, as one operation.  Until its last transaction everything has
 * hidden names, "import-<id>…", which the operation's note tells; what is undone, also after a
 * crash, is whatever has them, and the image, where it was not here before.
 */
#include <string.h>

#include "base/uuid.h"
#include "core/capsule/capsule.h"
#include "core/capsule/capsule_frame.h"
#include "core/capsule/capsule_plan.h"
#include "core/capsule/capsule_restore.h"
#include "core/capsule/capsule_tree.h"
#include "core/container/container.h"
#include "core/container/container_event.h"
#include "core/operation/container_kinds.h"
#include "core/operation/op.h"
#include "core/service.h"
#include "core/snapshot/snapshot.h"
#include "core/volume/volume_event.h"
#include "store/container.h"
#include "store/volume.h"

struct import {
    const struct capsule_import_spec *spec;
    struct capsule_reader reader;
    struct capsule_plan plan;
    const char *container_id;
};

static int import_prepare(struct task *task, struct op *op, struct error *err);
static int import_apply(struct task *task, struct op *op, struct error *err);
static int import_finish(struct task *task, struct op *op, struct error *err);
static int import_revert(struct task *task, struct op *op, struct error *err);
static int import_load(struct task *task, struct op *op, struct error *err);
static int take_back_image(struct task *task, const struct op *op, struct error *err);
static int take_sections(struct task *task, struct import *import, struct error *err);
static int take_section(struct task *task, struct import *import, struct error *err);
static int take_image(struct task *task, struct import *import, struct error *err);
static int has_image(struct task *task, const char *id, bool *answer, struct error *err);
static int take_tree(struct task *task, struct import *import, const json_t *section,
                     struct error *err);
static int check_base(const struct capsule_volume *volume, const char *base, struct error *err);
static int make_volumes(struct task *task, struct import *import, struct error *err);
static int make_container(struct task *task, struct import *import, struct error *err);
static const char *image_name(struct task *task, const struct capsule_plan *plan);
static int check_complete(const struct capsule_plan *plan, struct error *err);

const struct op_kind capsule_import_kind = {
    .name = "capsule.import",
    .prepare = import_prepare,
    .apply = import_apply,
    .finish = import_finish,
    .revert = import_revert,
    .load = import_load,
};

int capsule_import(struct task *task, const struct capsule_import_spec *spec,
                   const struct byte_source *source, const char **id, struct error *err)
{
    struct import import = { .spec = spec, .reader = { .source = source } };
    cleanup_op struct op op = { .kind = &capsule_import_kind, .data = &import };
    cleanup_json json_t *manifest = capsule_read_json(&import.reader, CAPSULE_MANIFEST, err);
    int rc = manifest == NULL
                 ? -1
                 : capsule_plan_make(task, manifest, &spec->renames, &import.plan, err);

    if (rc == 0) {
        op.subject = arena_printf(task->mem, "container '%s'", import.plan.name);
        op.result = json_object();
        rc = op_run(task, &op, err);
    }
    if (rc == 0)
        rc = json_get_text(op.result, "id", task->mem, id, err);
    capsule_plan_done(&import.plan);
    capsule_reader_done(&import.reader);
    return rc;
}

static int import_prepare(struct task *task, struct op *op, struct error *err)
{
    struct import *import = op->data;
    bool has_ours = false;

    if (capsule_plan_check_names(task, &import->plan, err) < 0 ||
        capsule_restore_check(task, &import->plan, err) < 0 ||
        has_image(task, import->plan.image_id, &has_ours, err) < 0)
        return -1;
    op->note = json_pack("{s:s, s:I}", "hidden", import->plan.hidden, "volumes",
                         (json_int_t)import->plan.count);
    if (!has_ours)
        json_set(op->note, "image", json_text(import->plan.image_id));
    return 0;
}

static int import_apply(struct task *task, struct op *op, struct error *err)
{
    struct import *import = op->data;

    if (op->is_resumed)
        return fail(err, ERR_SYSTEM, "the import was cut off; its bytes are gone");
    if (make_volumes(task, import, err) < 0 || take_sections(task, import, err) < 0 ||
        check_complete(&import->plan, err) < 0 || make_container(task, import, err) < 0)
        return -1;
    json_set(op->result, "id", json_text(import->container_id));
    return 0;
}

/* All get their names at once. */
static int import_finish(struct task *task, struct op *op, struct error *err)
{
    struct import *import = op->data;
    cleanup_container struct container container = { 0 };

    if (capsule_plan_check_names(task, &import->plan, err) < 0 ||
        container_get(task, import->plan.hidden, &container, err) < 0)
        return -1;
    for (size_t i = 0; i < import->plan.count; i++) {
        const struct capsule_volume *item = &import->plan.volumes[i];
        struct volume volume;
        if (store_volume_find(task->db, task->mem, item->hidden, &volume, err) <= 0)
            return fail(err, ERR_CONFLICT, "volume '%s' was removed meanwhile", item->name);
        if (store_volume_set_name(task->db, volume.id, item->name, err) < 0 ||
            store_volume_set_seeded(task->db, volume.id, NULL, err) < 0 ||
            capsule_restore_volume(task, &import->plan, item, err) < 0)
            return -1;
    }
    const char *host = json_write(task->mem, import->plan.host_config);
    if (store_container_set_name(task->db, container.id, import->plan.name, err) < 0 ||
        store_container_set_host_config(task->db, container.id, host, err) < 0)
        return -1;
    container.name = import->plan.name;
    if (capsule_restore_container(task, &import->plan, err) < 0)
        return -1;
    return container_emit(task, &container, "import", NULL, err);
}

static int import_revert(struct task *task, struct op *op, struct error *err)
{
    static const struct container_remove_spec removal = { .force = true };
    static const struct volume_remove_spec gone = { .force = true,
                                                    .with_snapshots = true,
                                                    .is_now = true };
    const char *hidden = NULL;
    int64_t count = 0;

    if (json_get_text(op->note, "hidden", task->mem, &hidden, err) < 0 ||
        json_get_int(op->note, "volumes", &count, err) < 0)
        return -1;
    if (container_remove(task, hidden, &removal, err) < 0 && err->code != ERR_NOT_FOUND)
        return -1;
    for (int64_t i = 0; i < count; i++) {
        const char *name = arena_printf(task->mem, "%s.%lld", hidden, (long long)i);
        if (volume_remove(task, name, &gone, err) < 0 && err->code != ERR_NOT_FOUND)
            return -1;
    }
    return take_back_image(task, op, err);
}

/* One that was not here before; unless somebody makes use of it by now. */
static int take_back_image(struct task *task, const struct op *op, struct error *err)
{
    const char *id = NULL;
    json_t *report = NULL;

    if (json_get_text(op->note, "image", task->mem, &id, err) < 0)
        return -1;
    if (id == NULL)
        return 0;
    int rc = image_remove(task, id, false, &report, err);
    if (rc == 0)
        json_decref(report);
    return rc == 0 || err->code == ERR_NOT_FOUND || err->code == ERR_CONFLICT ? 0 : -1;
}

/* revert needs the note alone, and apply looks at nothing of a resumed import. */
static int import_load(struct task *task, struct op *op, struct error *err)
{
    (void)task;
    (void)op;
    (void)err;
    return 0;
}

static int take_sections(struct task *task, struct import *import, struct error *err)
{
    struct capsule_reader *reader = &import->reader;

    for (;;) {
        if (capsule_read(reader, err) < 0)
            return -1;
        if (reader->type == CAPSULE_END)
            return capsule_read_end(reader, err);
        if (reader->type != CAPSULE_SECTION)
            return fail(err, ERR_CORRUPT,
                        "the capsule is damaged: before byte %lld a frame is out of place",
                        (long long)reader->offset);
        if (take_section(task, import, err) < 0 || capsule_section_skip(reader, err) < 0)
            return -1;
    }
}

static int take_section(struct task *task, struct import *import, struct error *err)
{
    struct capsule_reader *reader = &import->reader;
    cleanup_json json_t *section = json_read(reader->payload.data, reader->payload.size, err);
    const char *kind = "";

    if (section == NULL || json_get_text(section, "kind", task->mem, &kind, err) < 0)
        return -1;
    reader->section_bytes = 0;
    reader->used = reader->payload.size;
    reader->is_section_over = false;
    if (strcmp(kind, "image") == 0)
        return take_image(task, import, err);
    if (strcmp(kind, "volume") == 0 || strcmp(kind, "snapshot") == 0)
        return take_tree(task, import, section, err);
    return fail(err, ERR_UNSUPPORTED, "this volumed knows no section of kind '%s'", kind);
}

/* One that is here already is the same. */
static int take_image(struct task *task, struct import *import, struct error *err)
{
    struct byte_source source = capsule_section_source(&import->reader);
    bool is_here = false;

    if (import->plan.has_image)
        return fail(err, ERR_CORRUPT, "the capsule has two images");
    if (has_image(task, import->plan.image_id, &is_here, err) < 0)
        return -1;
    if (!is_here && image_load_one(task, &source, import->plan.image_id, err) < 0)
        return error_prefix(err, "cannot load the image");
    import->plan.has_image = true;
    return 0;
}

static int has_image(struct task *task, const char *id, bool *answer, struct error *err)
{
    struct image image;

    *answer = image_get(task, id, &image, err) == 0;
    if (*answer && strcmp(image.id, id) != 0)
        return fail(err, ERR_CORRUPT, "the capsule's container has no whole id of an image");
    return *answer || err->code == ERR_NOT_FOUND ? 0 : -1;
}

static int take_tree(struct task *task, struct import *import, const json_t *section,
                     struct error *err)
{
    struct capsule_volume *volume = NULL;
    const char *name = "";
    const char *snapshot = "";
    const char *kind = "";
    const char *base = NULL;
    struct byte_source source = capsule_section_source(&import->reader);

    if (json_get_text(section, "volume", task->mem, &name, err) < 0 ||
        json_get_text(section, "snapshot", task->mem, &snapshot, err) < 0 ||
        json_get_text(section, "base", task->mem, &base, err) < 0 ||
        json_get_text(section, "kind", task->mem, &kind, err) < 0)
        return -1;
    for (size_t i = 0; i < import->plan.count; i++)
        if (strcmp(import->plan.volumes[i].old_name, name) == 0)
            volume = &import->plan.volumes[i];
    if (volume == NULL || volume->is_whole)
        return fail(err, ERR_CORRUPT, "the capsule has contents of a volume '%s' that is not in it",
                    name);
    if (check_base(volume, base, err) < 0)
        return -1;
    if (capsule_tree_load(task, volume->hidden, base != NULL, &source, err) < 0)
        return error_prefix(err, "cannot unpack volume '%s'", name);
    volume->last = snapshot;
    volume->is_whole = strcmp(kind, "volume") == 0;
    if (volume->is_whole)
        return 0;
    struct snapshot_spec spec = { 0 };
    struct snapshot made;
    return capsule_restore_spec(task, volume, snapshot, &spec, err) < 0
               ? -1
               : snapshot_create(task, volume->hidden, &spec, &made, err);
}

/* What a difference is applied to must be what it was taken from. */
static int check_base(const struct capsule_volume *volume, const char *base, struct error *err)
{
    if (base == NULL || (volume->last != NULL && strcmp(volume->last, base) == 0))
        return 0;
    return fail(err, ERR_CORRUPT,
                "the capsule has a difference from snapshot '%s@%s', which is not before it",
                volume->old_name, base);
}

static int make_volumes(struct task *task, struct import *import, struct error *err)
{
    for (size_t i = 0; i < import->plan.count; i++) {
        struct capsule_volume *item = &import->plan.volumes[i];
        struct volume_spec spec = VOLUME_SPEC_EMPTY;
        struct volume volume;
        enum cost cost;
        bool is_new;
        spec.name = item->hidden;
        spec.pool = import->spec->pool;
        spec.labels = item->labels;
        spec.options = item->options;
        spec.is_anonymous = item->is_anonymous;
        if (volume_create(task, &spec, &volume, &is_new, &cost, err) < 0)
            return error_prefix(err, "cannot make volume '%s'", item->name);
        item->id = volume.id;
    }
    return 0;
}

static int make_container(struct task *task, struct import *import, struct error *err)
{
    cleanup_json json_t *host = capsule_plan_bare_host(&import->plan);
    const struct container_spec spec = {
        .name = import->plan.hidden,
        .image = image_name(task, &import->plan),
        .config = import->plan.config,
        .host_config = host,
        .networking = import->plan.networking,
        .carried = capsule_plan_attachments(task, &import->plan),
        .carried_count = import->plan.attachment_count,
    };
    const char *const *warnings;

    return container_create(task, &spec, &import->container_id, &warnings, err);
}

/* As the client had said it, where that means the same here. */
static const char *image_name(struct task *task, const struct capsule_plan *plan)
{
    struct image image = { 0 };
    struct error ignored; /* then the id is its name */

    return image_get(task, plan->image_name, &image, &ignored) == 0 &&
                   strcmp(image.id, plan->image_id) == 0
               ? plan->image_name
               : plan->image_id;
}

static int check_complete(const struct capsule_plan *plan, struct error *err)
{
    if (!plan->has_image)
        return fail(err, ERR_CORRUPT, "the capsule has no image");
    for (size_t i = 0; i < plan->count; i++)
        if (!plan->volumes[i].is_whole)
            return fail(err, ERR_CORRUPT, "the capsule has no contents of volume '%s'",
                        plan->volumes[i].old_name);
    return 0;
}
