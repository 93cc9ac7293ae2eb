/* SPDX-License-Identifier: Apache-2.0 */
/* Events of containers, with the attributes that Docker's clients filter by. */
#ifndef CORE_CONTAINER_EVENT_H
#define CORE_CONTAINER_EVENT_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/container.h"

/* Attributes: image, name, the labels, and 'extra' (may be NULL).  As event_emit() otherwise. */
int container_emit(struct task *task, const struct container *container, const char *action,
                   const struct pairs *extra, struct error *err);

/* As above with one extra attribute. */
int container_emit_with(struct task *task, const struct container *container, const char *action,
                        const char *key, const char *value, struct error *err);

#endif
