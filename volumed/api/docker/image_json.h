/* SPDX-License-Identifier: Apache-2.0 */
/* An image as Docker's clients see it; shared by the image endpoints and system df. */
#ifndef API_DOCKER_IMAGE_JSON_H
#define API_DOCKER_IMAGE_JSON_H

#include "core/image/image.h"

/* A row of `docker images`.  New reference. */
json_t *docker_image_summary_json(const struct image *image);

/* What inspect tells.  CORRUPT when the stored config is no JSON. */
int docker_image_json(const struct image *image, json_t **json, struct error *err);

#endif
