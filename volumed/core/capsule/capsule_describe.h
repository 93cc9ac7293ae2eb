/* SPDX-License-Identifier: Apache-2.0 */
/* What a capsule's manifest says of a volume and a container, beside their bytes. */
#ifndef CORE_CAPSULE_DESCRIBE_H
#define CORE_CAPSULE_DESCRIBE_H

#include "base/json.h"
#include "core/operation/task.h"
#include "model/container.h"
#include "model/volume.h"

/* With those of its snapshots that go along.  New reference, or NULL. */
json_t *capsule_describe_volume(struct task *task, const struct volume *volume,
                                const struct snapshot *snapshots, int count, struct error *err);

/* New reference, or NULL. */
json_t *capsule_describe_container(struct task *task, const struct container *container,
                                   struct error *err);
json_t *capsule_describe_attachments(const struct container *container);

#endif
