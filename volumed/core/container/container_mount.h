/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container wants mounted, from every way in which Docker's clients can say it: VolumesFrom,
 * Binds, Mounts, Tmpfs, Volumes, and the image's VOLUMEs (already in Volumes).  Volumes become
 * attachments; binds and tmpfs become JSON that is kept in the container's row:
 *
 *   {"Type": "bind", "Source", "Destination", "Mode", "RW", "Propagation", "NonRecursive",
 *    "ReadOnlyNonRecursive", "IsCreated"}        IsCreated: a missing source is made at start
 *   {"Type": "tmpfs", "Destination", "RW", "Options", "IsListed"}   IsListed: inspect shows it
 */
#ifndef CORE_CONTAINER_MOUNT_H
#define CORE_CONTAINER_MOUNT_H

#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "core/operation/task.h"
#include "model/attachment.h"

struct mount_plan {
    struct attachment *attachments;
    size_t attachment_count;
    json_t *mounts; /* the array above; owned by the caller */
};

/* INVALID with dockerd's texts; NOT_FOUND for a container of VolumesFrom. */
int mount_plan_make(struct task *task, const json_t *config, const json_t *host_config,
                    struct mount_plan *plan, struct error *err);

/* One element of HostConfig.Mounts; exactly one of the results is set. */
int mount_spec_parse(struct arena *mem, const json_t *mount, struct attachment *attachment,
                     json_t **other, struct error *err);

#endif
