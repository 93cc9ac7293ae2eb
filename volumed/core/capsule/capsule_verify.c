/* SPDX-License-Identifier: Apache-2.0 */
/* Reading capsules without making anything. */
#include "core/capsule/capsule.h"
#include "core/capsule/capsule_frame.h"
#include "core/capsule/capsule_plan.h"
#include "core/capsule/capsule_restore.h"

static int skip_sections(struct capsule_reader *reader, struct error *err);
static json_t *foretell(const struct capsule_plan *plan);

int capsule_verify(struct task *task, const struct byte_source *source, json_t **manifest,
                   int64_t *bytes, struct error *err)
{
    cleanup_capsule_reader struct capsule_reader reader = { .source = source };
    cleanup_json json_t *described = capsule_read_json(&reader, CAPSULE_MANIFEST, err);

    (void)task;
    if (described == NULL || skip_sections(&reader, err) < 0)
        return -1;
    *manifest = json_incref(described);
    *bytes = reader.offset;
    return 0;
}

int capsule_foretell(struct task *task, const struct capsule_import_spec *spec,
                     const struct byte_source *source, json_t **told, struct error *err)
{
    cleanup_capsule_reader struct capsule_reader reader = { .source = source };
    cleanup_json json_t *manifest = capsule_read_json(&reader, CAPSULE_MANIFEST, err);
    struct capsule_plan plan = { 0 };
    int rc = manifest == NULL ? -1 : capsule_plan_make(task, manifest, &spec->renames, &plan, err);

    if (rc == 0)
        rc = capsule_plan_check_names(task, &plan, err);
    if (rc == 0)
        rc = capsule_restore_check(task, &plan, err);
    if (rc == 0)
        rc = skip_sections(&reader, err);
    if (rc == 0)
        *told = foretell(&plan);
    capsule_plan_done(&plan);
    return rc;
}

static int skip_sections(struct capsule_reader *reader, struct error *err)
{
    for (;;) {
        if (capsule_read(reader, err) < 0)
            return -1;
        if (reader->type == CAPSULE_END)
            return capsule_read_end(reader, err);
        if (reader->type != CAPSULE_SECTION)
            return fail(err, ERR_CORRUPT,
                        "the capsule is damaged: before byte %lld a frame is out of place",
                        (long long)reader->offset);
        reader->section_bytes = 0;
        reader->is_section_over = false;
        if (capsule_section_skip(reader, err) < 0)
            return -1;
    }
}

static json_t *foretell(const struct capsule_plan *plan)
{
    json_t *told = json_object();
    json_t *list = json_array();

    json_set(told, "container", json_text(plan->name));
    json_set(told, "image", json_text(plan->image_name));
    json_set(told, "volumes", list);
    for (size_t i = 0; i < plan->count; i++) {
        const struct capsule_volume *volume = &plan->volumes[i];
        size_t snapshots = json_array_size(json_member(volume->item, "snapshots"));
        json_t *item = json_object();
        json_set(item, "name", json_text(volume->name));
        json_set(item, "was", json_text(volume->old_name));
        json_set(item, "snapshots", json_integer((json_int_t)snapshots));
        json_add(list, item);
    }
    return told;
}
