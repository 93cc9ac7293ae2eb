/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trash: what `volume rm`, prune and `snapshot rm` took away, until it expires, is purged, or
 * its pool runs short of space.  One commit puts a thing there, as it would remove it; a volume's
 * data is renamed to POOL/trash after that, and whoever looks for it looks in both places.  A
 * snapshot's stays where it is: on btrfs a sealed tree cannot change directories.
 */
#ifndef CORE_TRASH_H
#define CORE_TRASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "core/operation/task.h"
#include "core/volume/volume.h"
#include "model/trash.h"
#include "model/volume.h"

/* False when removing is at once (a time to live of 0). */
bool trash_is_on(const struct task *task);

/* In the transaction that removes it, in place of deleting its row. */
int trash_put_volume(struct task *task, const struct volume *volume, struct error *err);
int trash_put_snapshot(struct task *task, const struct snapshot *snapshot, struct error *err);

/* After that commit: the data.  If it cannot be moved now, reconcile tries again. */
void trash_put_away(struct task *task, const char *volume_id);

/* After a commit that put something there and has no data to move. */
void trash_notice(struct task *task);

/* Of one pool, or of all (NULL); oldest first.  Returns the count. */
int trash_list(struct task *task, const char *pool_id, struct trash_entry **list,
               struct error *err);

/* By id, else the newest of that name.  NOT_FOUND. */
int trash_get(struct task *task, const char *ref, struct trash_entry *entry, struct error *err);

/* What purging it would free at most: its own data, without that of its snapshots. */
int trash_usage(struct task *task, const struct trash_entry *entry, struct usage *usage,
                struct error *err);

/* What all of it takes; what cannot be measured counts as nothing. */
int trash_total(struct task *task, int64_t *count, int64_t *bytes, struct error *err);

/*
 * Brings it back with its id, contents, labels, options and snapshots, as 'name' (NULL: what it was
 * called; a snapshot's is without its volume's).  Durable on return.  EXISTS: the name is taken.
 * CONFLICT: a snapshot's volume is in the trash itself.
 */
int trash_restore(struct task *task, const char *ref, const char *name, struct trash_entry *entry,
                  struct error *err);

/* Removes it for good.  'reason' is told in the event: "asked", "expired", "space". */
int trash_purge(struct task *task, const struct trash_entry *entry, const char *reason,
                struct error *err);

/* Purges all that has expired; returns how many.  And when the next will, 0 for never. */
int trash_purge_expired(struct task *task, struct error *err);
int trash_next_expiry(struct task *task, int64_t *expires_ms, struct error *err);

/* A readable directory of its data. */
int trash_data_open(struct task *task, const struct trash_entry *entry, struct error *err);

#endif
