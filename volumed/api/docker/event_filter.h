/* SPDX-License-Identifier: Apache-2.0 */
/* One event in Docker's shape, and whether a client's filters let it through. */
#ifndef API_DOCKER_EVENT_FILTER_H
#define API_DOCKER_EVENT_FILTER_H

#include "model/container.h"
#include "model/filter.h"

extern const char *const event_filters[];

bool event_is_wanted(const struct event *event, const struct filter *filter);

/* New reference. */
json_t *docker_event_json(const struct event *event);

#endif
