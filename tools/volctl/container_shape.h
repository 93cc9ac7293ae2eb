/* SPDX-License-Identifier: Apache-2.0 */
/* The options of container create and run as the body of Docker's create request. */
#ifndef VOLCTL_CONTAINER_SHAPE_H
#define VOLCTL_CONTAINER_SHAPE_H

#include "command.h"

/* The body of POST /containers/create; NULL with err.  New reference. */
json_t *container_body(const struct command *command, bool is_attached, struct error *err);

/* Makes the container; *id lives in the command's memory. */
int container_make(const struct command *command, bool is_attached, const char **id,
                   struct error *err);

/*
 * What the command line says of a container that exists, as a body of create with those members
 * alone.  Words after the first 'words' are its command; 'image' NULL: the same.
 */
json_t *container_change(const struct command *command, const char *image, int words,
                         struct error *err);

#endif
