/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's Config: what is run in a container, checked and completed from the image's own. */
#ifndef CORE_CONTAINER_CONFIG_H
#define CORE_CONTAINER_CONFIG_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

/*
 * The Config that is kept: 'request' (may be NULL) over 'image_config' (the "config" of an image,
 * may be NULL).  A host name that nobody gave is the id's first twelve digits.  Returns a new
 * reference, or NULL with dockerd's texts.
 */
json_t *config_complete(const json_t *request, const json_t *image_config, const char *image_name,
                        const char *id, struct error *err);

/* The program and its arguments (NULL-terminated) from Entrypoint and Cmd. */
int config_command(const json_t *config, struct arena *mem, const char **path,
                   const char *const **args, struct error *err);

/* The number of "TERM", "SIGTERM" or "15"; INVALID "Invalid signal: x". */
int signal_find(const char *name, int *number, struct error *err);

#endif
