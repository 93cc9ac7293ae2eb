/* SPDX-License-Identifier: Apache-2.0 */
/* What a client means by an image: a name, an id, or the beginning of an id. */
#ifndef CORE_IMAGE_REF_H
#define CORE_IMAGE_REF_H

#include "core/image/image.h"

struct image_ref {
    const char *id;   /* of the image */
    const char *name; /* full, when it was found by a name; NULL: by its id */
};

/* NOT_FOUND: dockerd's "No such image: x:latest". */
int image_ref_find(struct task *task, const char *text, struct image_ref *ref, struct error *err);

/* The image with familiar tags and diff_ids.  NOT_FOUND. */
int image_read(struct task *task, const char *id, struct image *image, struct error *err);

/* A row's full tags become familiar ones, its diff_ids are read. */
int image_complete(struct task *task, struct image *image, struct error *err);

/* "sha256:0123456789ab…" → "0123456789ab" */
const char *image_short_id(struct arena *mem, const char *id);

#endif
