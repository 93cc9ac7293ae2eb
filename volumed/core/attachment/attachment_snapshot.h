/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attachments that show a snapshot rather than the volume itself, read-only or below a scratch.
 * While such an attachment is there, its snapshot is pinned: nothing removes it.
 */
#ifndef CORE_ATTACHMENT_SNAPSHOT_H
#define CORE_ATTACHMENT_SNAPSHOT_H

#include <stdbool.h>

#include "base/error.h"
#include "core/operation/claim.h"
#include "core/operation/task.h"
#include "model/attachment.h"
#include "model/volume.h"

bool attachment_shows_snapshot(const struct attachment *attachment);

/* INVALID: what is asked for excludes itself. */
int attachment_snapshot_check(const struct attachment *attachment, struct error *err);

/* Fills what a row needs of an attachment to 'volume'.  NOT_FOUND; UNSUPPORTED (foreign volumes).
 */
int attachment_snapshot_find(struct task *task, struct attachment *attachment,
                             const struct volume *volume, struct error *err);

/* A snapshot cut for an attachment alone: on disk, then in the transaction that inserts it. */
struct attachment_cut {
    struct snapshot snapshot; /* id NULL: there is none */
    struct claim claim;
};

/* Cuts the volume as it is now, as snapshot_create() does.  Durable on return, without a row. */
int attachment_cut_build(struct task *task, struct attachment *attachment,
                         struct attachment_cut *cut, struct error *err);
int attachment_cut_insert(struct task *task, const struct attachment *attachment,
                          struct attachment_cut *cut, struct error *err);

/* Always, once. */
void attachment_cut_done(struct task *task, struct attachment_cut *cut, bool is_published);

/* CONFLICT, naming whom, while a container has the snapshot attached or somebody holds it. */
int snapshot_check_unpinned(struct task *task, const struct snapshot *snapshot, struct error *err);

#endif
