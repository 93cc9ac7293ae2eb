/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's filters on images. */
#ifndef CORE_IMAGE_MATCH_H
#define CORE_IMAGE_MATCH_H

#include "core/image/image.h"

struct image_match {
    struct task *task;
    const struct filter *filter;
    int64_t after_ms;  /* only images made later, … */
    int64_t before_ms; /* … and earlier */
    bool has_dangling;
    bool is_dangling;
};

/* NOT_FOUND when an image that a filter names is missing. */
int image_match_init(struct task *task, const struct filter *filter, struct image_match *match,
                     struct error *err);

/* Returns 1 when the (completed) image fits; leaves the tags that fit in it. */
int image_match_test(const struct image_match *match, struct image *image, struct error *err);

#endif
