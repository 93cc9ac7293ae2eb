/* SPDX-License-Identifier: Apache-2.0 */
/* What seeding records: for volumes that exist and for those being made with a container. */
#ifndef CORE_VOLUME_SEED_H
#define CORE_VOLUME_SEED_H

#include "core/operation/task.h"

/* The row's text: {image, path, time_ms}. */
const char *volume_seed_record(struct task *task, const char *image, const char *path);

#endif
