/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carrying over: other clients replace a container by removing it and creating another of its name,
 * and its anonymous volumes are lost to the new one.  A container with the label
 *
 *     volumed.carry=anonymous            is attached, at the same destinations, to the anonymous
 *                                        volumes of the last container of its name, if that was
 *                                        removed within the window (service.carry_window_ms); else
 *                                        it begins with fresh ones, and a warning says so
 *     volumed.carry=anonymous:required   likewise, but is refused where there is nothing to carry
 *
 * Removed together with a container that has the label, its anonymous volumes go to the trash,
 * where its successor finds them.
 */
#ifndef CORE_CARRY_H
#define CORE_CARRY_H

#include "base/error.h"
#include "base/json.h"
#include "core/operation/task.h"
#include "model/container.h"

#define CARRY_LABEL "volumed.carry"

/* Before the attachments' rows go, in the transaction that removes the container. */
int carry_note(struct task *task, const struct container *container, struct error *err);

/* Whether its anonymous volumes, when they go with it, are kept in the trash. */
bool carry_is_wanted(const struct container *container);

struct carry {
    struct attachment *items; /* as what a predecessor had (struct container_spec) */
    size_t count;
    const char *const *restored; /* ids of volumes that came from the trash for it */
    const char *warning;         /* what could not be carried; NULL */
};

/*
 * What a new container of that name, with the labels of 'config', takes over; brings it back from
 * the trash.  INVALID: an unknown value.  CONFLICT: it is required and there is none.
 */
int carry_find(struct task *task, const char *name, const json_t *config, struct carry *carry,
               struct error *err);

/* In the transaction that publishes the container: there is a later one of that name now. */
int carry_settle(struct task *task, const char *name, struct error *err);

/* When the container was not made: what was brought back returns to the trash. */
void carry_undo(struct task *task, const struct carry *carry);

#endif
