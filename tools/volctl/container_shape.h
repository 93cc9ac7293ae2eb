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

#endif
