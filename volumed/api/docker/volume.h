/* SPDX-License-Identifier: Apache-2.0 */
/* A volume as Docker's clients see it; shared by the volume endpoints and system df. */
#ifndef API_DOCKER_VOLUME_H
#define API_DOCKER_VOLUME_H

#include "base/json.h"
#include "core/volume/volume.h"

/* What is told of a volume in a list.  New reference. */
json_t *docker_volume_json(struct task *task, const struct volume *volume);

/* As above with UsageData: its size and how many containers refer to it. */
int docker_volume_usage_json(struct task *task, const struct volume *volume, json_t **json,
                             struct error *err);

#endif
