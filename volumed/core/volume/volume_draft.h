/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A volume that is wanted and has no row yet: what a request says, checked and completed.  Shared
 * by volume_create() and by attachments, which make volumes for containers.
 */
#ifndef CORE_VOLUME_DRAFT_H
#define CORE_VOLUME_DRAFT_H

#include "base/error.h"
#include "core/operation/task.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "model/lease.h"

struct volume_draft {
    struct volume volume; /* complete, with new ids; parent and seeded_from aside */
    struct volume_shape shape;
    enum volume_access access;
    const char *from_volume; /* a source, or NULL */
    const char *from_snapshot;
};

/*
 * Names, options and pool are checked; nothing is looked up but the pool.  INVALID, NOT_FOUND (no
 * such pool or plugin), UNSUPPORTED (an option that this pool cannot honour).
 */
int volume_draft(struct task *task, const struct volume_spec *spec, struct volume_draft *draft,
                 struct error *err);

/* What the options uid, gid, mode and nocow say.  INVALID. */
int volume_shape_read(const struct pairs *options, struct volume_shape *shape, struct error *err);

/* CONFLICT, naming the difference, unless the existing volume is what the draft asks for. */
int volume_draft_compare(const struct volume_draft *draft, const struct volume *existing,
                         struct error *err);

/* In a transaction: the row and its event.  EXISTS when the name was taken meanwhile. */
int volume_draft_insert(struct task *task, const struct volume_draft *draft, struct error *err);

#endif
