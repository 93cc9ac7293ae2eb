/* SPDX-License-Identifier: Apache-2.0 */
/* Dockerfile instructions applied to an image's config, as `docker commit --change` has them. */
#ifndef CORE_IMAGE_CHANGE_H
#define CORE_IMAGE_CHANGE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

/*
 * Applies lines of CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD STOPSIGNAL USER VOLUME
 * WORKDIR ('changes' is NULL-terminated or NULL) to 'config', which is in the shape of Docker's
 * Config.  INVALID names the line.
 */
int image_change_apply(struct arena *mem, json_t *config, const char *const *changes,
                       struct error *err);

#endif
