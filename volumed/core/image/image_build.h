/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image in the making: layers are unpacked under names that nobody knows, then one transaction
 * publishes layers, image and names.  The last steps of load, import and commit.
 */
#ifndef CORE_IMAGE_BUILD_H
#define CORE_IMAGE_BUILD_H

#include "core/image/layer.h"
#include "core/operation/op.h"

struct built_layer {
    struct layer layer;
    bool is_new; /* unpacked by us */
    struct claim claim;
};

struct image_build {
    struct image image;         /* id, config, parent, created_ms are the caller's to fill */
    const char *const *names;   /* full, NULL-terminated; NULL: none */
    const char *action;         /* of the event: "load", "import" */
    struct built_layer *layers; /* bottom first; room for LIMIT_LAYERS */
    size_t layer_count;
};

void image_build_init(struct image_build *build, struct arena *mem);

/* Always, at the end: lets reconcile see the layers again. */
void image_build_done(struct image_build *build);

/*
 * Puts a layer on top: the one that is there when its digest is given and known, else the unpacked
 * archive.  spec->parent is filled.
 */
int image_build_add(struct task *task, struct image_build *build, struct layer_spec *spec,
                    struct error *err);

/* Takes the layers of an image that is there (the base of a commit). */
int image_build_base(struct task *task, struct image_build *build, const char *chain_id,
                     struct error *err);

/* In a transaction.  BUSY when a layer that was there has been removed meanwhile. */
int image_build_publish(struct task *task, struct image_build *build, struct error *err);

/* Removes the layers that were unpacked and are not used.  Idempotent. */
int image_build_discard(struct task *task, struct image_build *build, struct error *err);

/* Runs such an operation; *id is the image's, of the first run when this one is a repeat of it. */
int image_build_run(struct task *task, struct op *op, const char **id, struct error *err);

/* The steps of an operation whose data is an image_build: op kinds point to these. */
int image_build_finish(struct task *task, struct op *op, struct error *err);
int image_build_revert(struct task *task, struct op *op, struct error *err);
void image_build_after(struct task *task, struct op *op, bool is_done);

#endif
