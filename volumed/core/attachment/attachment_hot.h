/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes that come to containers which are there already, running or not, and that leave them. */
#ifndef CORE_ATTACHMENT_HOT_H
#define CORE_ATTACHMENT_HOT_H

#include <stdbool.h>

#include "base/error.h"
#include "core/operation/task.h"
#include "model/attachment.h"

/*
 * Attaches an existing volume (or a snapshot of it, or a scratch) to a container, and mounts it if
 * the container runs.  Kept over restarts.  *attached is the row.  CONFLICT: something is at the
 * place already, or a writer is in the way; NOT_FOUND; BUSY while the container starts or ends.
 */
int attachment_attach(struct task *task, const char *container_ref, const struct attachment *wanted,
                      struct attachment *attached, struct error *err);

/*
 * Takes it away again.  BUSY, naming who, while a process uses it, unless forced: then it vanishes
 * from its place, and they keep what they have open.  *detached is the row that was.
 */
int attachment_detach(struct task *task, const char *container_ref, const char *destination,
                      bool is_forced, struct attachment *detached, struct error *err);

#endif
