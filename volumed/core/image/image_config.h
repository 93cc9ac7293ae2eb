/* SPDX-License-Identifier: Apache-2.0 */
/* The config of an image: reading the parts that we use, and writing a new one. */
#ifndef CORE_IMAGE_CONFIG_H
#define CORE_IMAGE_CONFIG_H

#include "base/arena.h"
#include "base/json.h"
#include "model/container.h"

/*
 * Reads a config that came from outside and fills image->id, config, diff_ids and created_ms.
 * INVALID when it is none; UNSUPPORTED for another operating system's.
 */
int image_config_accept(struct arena *mem, const char *text, size_t size, struct image *image,
                        struct error *err);

/* The same text from our own rows: fills image->diff_ids. */
int image_config_fill(struct arena *mem, struct image *image, struct error *err);

/* The whole config; a new reference, NULL on failure. */
json_t *image_config_read(const struct image *image, struct error *err);

/* The labels in it. */
int image_config_labels(struct arena *mem, const struct image *image, struct pairs *labels,
                        struct error *err);

/* What a new image says of itself. */
struct image_config_spec {
    const json_t *base;    /* config of the image below; NULL: none */
    const json_t *runtime; /* Docker's Config: Cmd, Env … */
    const char *diff_id;   /* of the layer on top of base's */
    const char *author;    /* may be NULL, as below */
    const char *comment;
    const char *created_by; /* for the history */
};

/* Writes it; the text and its id go into 'image', with diff_ids and created_ms. */
int image_config_make(struct arena *mem, const struct image_config_spec *spec, struct image *image,
                      struct error *err);

/* Of this machine, as images name it: "amd64". */
const char *image_architecture(void);

#endif
