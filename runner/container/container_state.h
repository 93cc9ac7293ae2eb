/* SPDX-License-Identifier: Apache-2.0 */
/* The two JSON faces of a container: what hooks and `runner state` see, and what is stored. */
#ifndef RUNNER_CONTAINER_STATE_H
#define RUNNER_CONTAINER_STATE_H

#include <jansson.h>

#include "runner/cgroup/cgroup.h"
#include "runner/container/container.h"
#include "runner/process/filter.h"
#include "runner/process/namespace.h"
#include "runner/spec/spec.h"

/* The OCI state of a container that is being made.  New reference. */
json_t *container_state_of_spec(const struct spec *spec, const char *id, pid_t pid,
                                enum container_status status);

/* What state.json holds.  New reference. */
json_t *container_state_stored(const struct spec *spec, const struct container *container,
                               const struct namespaces *namespaces, const struct filter *filter);

/* Fills the handle from what state.json holds; container->state is set already. */
int container_state_restore(struct arena *mem, struct container *container, struct error *err);

#endif
