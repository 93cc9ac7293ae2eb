/* SPDX-License-Identifier: Apache-2.0 */
/* Reading images, and giving them names. */
#include "core/image/image.h"

#include <string.h>

#include "base/clock.h"
#include "core/image/image_config.h"
#include "core/image/image_match.h"
#include "core/image/image_name.h"
#include "core/image/image_ref.h"
#include "core/operation/event.h"
#include "core/operation/image_kinds.h"
#include "store/image.h"
#include "store/layer.h"

struct tagging {
    const char *name; /* full */
    const char *image_id;
};

static int tag_finish(struct task *task, struct op *op, struct error *err);
static int history_add(struct task *task, json_t *history, const json_t *entry,
                       const struct layer *layer, struct error *err);
static json_t *text_member(const json_t *object, const char *name);

const char *const image_filters[] = { "reference", "label", "label!", "dangling",
                                      "before",    "since", "until",  NULL };
const struct op_kind image_tag_kind = { .name = "image.tag", .finish = tag_finish };

int image_get(struct task *task, const char *ref, struct image *image, struct error *err)
{
    struct image_ref found;

    if (image_ref_find(task, ref, &found, err) < 0)
        return -1;
    return image_read(task, found.id, image, err);
}

int image_list(struct task *task, const struct filter *filter, struct image **list,
               struct error *err)
{
    struct image_match match;
    struct image *images;

    if (image_match_init(task, filter, &match, err) < 0)
        return -1;
    int count = store_image_list(task->db, task->mem, &images, err);
    int kept = 0;
    for (int i = 0; i < count; i++) {
        struct image image = images[i];
        if (image_complete(task, &image, err) < 0)
            return -1;
        int is_match = image_match_test(&match, &image, err);
        if (is_match < 0)
            return -1;
        if (is_match > 0)
            images[kept++] = image;
    }
    if (count < 0)
        return -1;
    *list = images;
    return kept;
}

int image_tag(struct task *task, const char *ref, const char *repo, const char *tag,
              struct error *err)
{
    struct image_ref found;
    struct tagging tagging;
    cleanup_op struct op op = { .kind = &image_tag_kind, .data = &tagging };

    if (image_ref_find(task, ref, &found, err) < 0 ||
        image_name_join(task->mem, repo, tag, &tagging.name, err) < 0)
        return -1;
    tagging.image_id = found.id;
    op.subject = arena_printf(task->mem, "image '%s'", tagging.name);
    return op_run(task, &op, err);
}

int image_history(struct task *task, const char *ref, json_t **history, struct error *err)
{
    struct image image;
    struct layer *chain = NULL;

    if (image_get(task, ref, &image, err) < 0)
        return -1;
    int layers = image.chain_id == NULL
                     ? 0
                     : store_layer_chain(task->db, task->mem, image.chain_id, &chain, err);
    cleanup_json json_t *config = layers < 0 ? NULL : image_config_read(&image, err);
    if (config == NULL)
        return -1;
    cleanup_json json_t *built = json_array();
    const json_t *entries = json_member(config, "history");
    int next = 0; /* from the top, as the history is told newest first */
    for (size_t i = json_array_size(entries); i > 0; i--) {
        const json_t *entry = json_array_get(entries, i - 1);
        bool is_empty = json_is_true(json_member(entry, "empty_layer"));
        const struct layer *layer = !is_empty && next < layers ? &chain[next++] : NULL;
        if (history_add(task, built, entry, layer, err) < 0)
            return -1;
    }
    if (json_array_size(built) == 0) /* a config may lack its history */
        (void)history_add(task, built, NULL, layers > 0 ? &chain[0] : NULL, err);
    json_t *top = json_array_get(built, 0);
    json_set(top, "Id", json_string(image.id));
    if (image.tags[0] != NULL)
        json_set(top, "Tags", json_list(image.tags));
    *history = json_incref(built);
    return 0;
}

static int tag_finish(struct task *task, struct op *op, struct error *err)
{
    const struct tagging *tagging = op->data;
    struct pairs attributes = { 0 };
    struct image image;
    int found = store_image_find(task->db, task->mem, tagging->image_id, &image, err);

    if (found < 0)
        return -1;
    if (found == 0)
        return fail(err, ERR_NOT_FOUND, "No such image: %s", tagging->image_id);
    if (store_image_tag(task->db, tagging->name, tagging->image_id, clock_now_ms(), err) < 0)
        return -1;
    pairs_set(&attributes, task->mem, "name", image_name_familiar(task->mem, tagging->name));
    return event_emit(task, "image", "tag", tagging->image_id, &attributes, err);
}

static int history_add(struct task *task, json_t *history, const json_t *entry,
                       const struct layer *layer, struct error *err)
{
    const char *created = "";
    int64_t created_ns = 0;
    json_t *item = json_object();

    (void)json_array_append_new(history, item); /* fails only for want of memory */
    if (json_get_text(entry, "created", task->mem, &created, err) < 0)
        return -1;
    if (clock_parse_ns(created, &created_ns) < 0)
        created_ns = 0;
    json_set(item, "Id", json_string("<missing>"));
    json_set(item, "Created", json_integer(created_ns / 1000000000));
    json_set(item, "CreatedBy", text_member(entry, "created_by"));
    json_set(item, "Tags", json_null());
    json_set(item, "Size", json_integer(layer != NULL ? layer->size_bytes : 0));
    json_set(item, "Comment", text_member(entry, "comment"));
    return 0;
}

static json_t *text_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_member(object, name));

    return json_text_or_empty(text);
}
