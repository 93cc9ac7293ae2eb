/* SPDX-License-Identifier: Apache-2.0 */
/* What attaching to and detaching from existing containers share. */
#ifndef CORE_ATTACHMENT_END_H
#define CORE_ATTACHMENT_END_H

#include "core/attachment/attachment.h"
#include "model/container.h"

/* 1, or 0 when the container has none at the place. */
int attachment_find(struct task *task, const char *container_id, const char *destination,
                    struct attachment *attachment, struct error *err);

/* The object that an operation on it holds. */
const char *attachment_object(struct task *task, const char *container_id, const char *destination);

/* BUSY while it cannot be said whether the container's mounts are made already. */
int attachment_check_settled(const struct container *container, struct error *err);

/* In a transaction: forgets one attachment, its lease if it was the last to the volume, and the
 * snapshot that was cut for it. */
int attachment_end_one(struct task *task, const struct attachment *attachment,
                       struct attachment_garbage *garbage, struct error *err);

#endif
