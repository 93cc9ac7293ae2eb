/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two loads of the same layer at once both unpack it; the second to publish finds the row, uses it
 * and throws its own copy away.
 */
#include "core/image/image_build.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/operation/event.h"
#include "store/db.h"
#include "store/image.h"
#include "store/layer.h"
#include "transfer/digest.h"
#include "transfer/limits.h"

static const char *top_chain(const struct image_build *build);
static int publish_layer(struct task *task, struct built_layer *built, struct error *err);
static int publish_name(struct task *task, const struct image *image, const char *name,
                        struct error *err);

void image_build_init(struct image_build *build, struct arena *mem)
{
    *build = (struct image_build){ 0 };
    build->layers = arena_array(mem, LIMIT_LAYERS, sizeof(*build->layers));
}

void image_build_done(struct image_build *build)
{
    for (size_t i = 0; i < build->layer_count; i++)
        claim_leave(&build->layers[i].claim);
}

int image_build_add(struct task *task, struct image_build *build, struct layer_spec *spec,
                    struct error *err)
{
    char chain_id[DIGEST_TEXT_SIZE];

    if (build->layer_count == LIMIT_LAYERS)
        return fail(err, ERR_INVALID, "the image has more than %d layers", LIMIT_LAYERS);
    struct built_layer *built = &build->layers[build->layer_count];
    spec->parent = top_chain(build);
    if (spec->diff_id != NULL) {
        digest_chain(spec->parent, spec->diff_id, chain_id);
        int found = layer_find(task, chain_id, &built->layer, err);
        if (found < 0)
            return -1;
        build->layer_count += found > 0;
        if (found > 0)
            return 0;
    }
    spec->claim = &built->claim;
    if (layer_unpack(task, spec, &built->layer, err) < 0) {
        claim_leave(&built->claim);
        return -1;
    }
    built->is_new = true;
    build->layer_count++;
    return 0;
}

int image_build_base(struct task *task, struct image_build *build, const char *chain_id,
                     struct error *err)
{
    struct layer *chain = NULL;
    int count =
        chain_id == NULL ? 0 : store_layer_chain(task->db, task->mem, chain_id, &chain, err);

    if (count < 0)
        return -1;
    if (chain_id != NULL && count == 0)
        return fail(err, ERR_CORRUPT, "layer '%s' is missing", chain_id);
    if (count >= LIMIT_LAYERS)
        return fail(err, ERR_INVALID, "the image has %d layers already", count);
    for (int i = 0; i < count; i++)
        build->layers[i].layer = chain[count - 1 - i];
    build->layer_count = (size_t)count;
    return 0;
}

int image_build_publish(struct task *task, struct image_build *build, struct error *err)
{
    struct image *image = &build->image;

    image->size_bytes = 0;
    for (size_t i = 0; i < build->layer_count; i++) {
        if (publish_layer(task, &build->layers[i], err) < 0)
            return -1;
        image->size_bytes += build->layers[i].layer.size_bytes;
    }
    image->chain_id = top_chain(build);
    if (store_image_insert(task->db, image, err) < 0)
        return -1;
    for (size_t i = 0; build->names != NULL && build->names[i] != NULL; i++)
        if (publish_name(task, image, build->names[i], err) < 0)
            return -1;
    struct pairs attributes = { 0 };
    if (build->names != NULL && build->names[0] != NULL)
        pairs_set(&attributes, task->mem, "name", image_name_familiar(task->mem, build->names[0]));
    return event_emit(task, "image", build->action, image->id, &attributes, err);
}

int image_build_discard(struct task *task, struct image_build *build, struct error *err)
{
    for (size_t i = build->layer_count; i > 0; i--) {
        struct built_layer *built = &build->layers[i - 1];
        if (built->is_new && layer_discard(task, &built->layer, err) < 0)
            return -1;
        built->is_new = false;
    }
    return 0;
}

int image_build_run(struct task *task, struct op *op, const char **id, struct error *err)
{
    const char *made = NULL;

    if (op_run(task, op, err) < 0 || json_get_text(op->result, "Id", task->mem, &made, err) < 0)
        return -1;
    *id = made;
    return 0;
}

int image_build_finish(struct task *task, struct op *op, struct error *err)
{
    const struct image_build *build = op->data;

    if (image_build_publish(task, op->data, err) < 0)
        return -1;
    op->result = json_object();
    json_set(op->result, "Id", json_string(build->image.id));
    return 0;
}

int image_build_revert(struct task *task, struct op *op, struct error *err)
{
    return image_build_discard(task, op->data, err);
}

/* Copies that turned out to be there already; what fails here goes at the next start. */
void image_build_after(struct task *task, struct op *op, bool is_done)
{
    const struct image_build *build = op->data;
    struct layer published;
    struct error err;

    for (size_t i = 0; is_done && i < build->layer_count; i++) {
        const struct built_layer *built = &build->layers[i];
        if (!built->is_new || layer_find(task, built->layer.chain_id, &published, &err) != 1 ||
            strcmp(published.dir_id, built->layer.dir_id) == 0)
            continue;
        if (layer_discard(task, &built->layer, &err) < 0)
            log_warn("layer copy left id=%s error=\"%s\"", built->layer.dir_id, err.message);
    }
}

static const char *top_chain(const struct image_build *build)
{
    return build->layer_count == 0 ? NULL : build->layers[build->layer_count - 1].layer.chain_id;
}

static int publish_layer(struct task *task, struct built_layer *built, struct error *err)
{
    struct layer present;
    int found = layer_find(task, built->layer.chain_id, &present, err);

    if (found != 0)
        return found < 0 ? -1 : 0;
    if (!built->is_new)
        return fail(err, ERR_BUSY, "layer '%s' was removed meanwhile; try again",
                    built->layer.diff_id);
    return store_layer_insert(task->db, &built->layer, err);
}

static int publish_name(struct task *task, const struct image *image, const char *name,
                        struct error *err)
{
    struct pairs attributes = { 0 };

    if (store_image_tag(task->db, name, image->id, clock_now_ms(), err) < 0)
        return -1;
    pairs_set(&attributes, task->mem, "name", image_name_familiar(task->mem, name));
    return event_emit(task, "image", "tag", image->id, &attributes, err);
}
