/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of a container's JSON that lists, inspect and system df share. */
#ifndef API_DOCKER_CONTAINER_JSON_H
#define API_DOCKER_CONTAINER_JSON_H

#include "core/container/container.h"

/* "running", "exited" …: Docker's word for our state. */
const char *docker_container_state(const struct container *container);

/* "Up 3 minutes (healthy)", "Exited (0) 2 seconds ago", "Created". */
char *docker_container_status(struct arena *mem, const struct container *container, int64_t now_ms);

/* Docker's health member: {Status, FailingStreak, Log}; NULL where there is no healthcheck. */
json_t *docker_health_json(const struct container *container);

/* {name: endpoint}; "none" is what a container gets by default. */
json_t *docker_networks_json(const struct container *container);

/* A row of ps.  Sizes are told when they are wanted. */
int docker_container_summary_json(struct task *task, const struct container *container,
                                  bool has_size, json_t **json, struct error *err);

/* Adds SizeRw and SizeRootFs. */
int docker_container_add_sizes(struct task *task, const struct container *container, json_t *json,
                               struct error *err);

#endif
