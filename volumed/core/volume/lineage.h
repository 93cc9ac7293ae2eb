/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where volumes and snapshots came from: an edge for each step, kept when what it speaks of is
 * gone. The notes are made inside the transactions of the verbs themselves.
 */
#ifndef CORE_LINEAGE_H
#define CORE_LINEAGE_H

#include "base/error.h"
#include "core/operation/task.h"
#include "model/lineage.h"
#include "model/volume.h"

struct lineage {
    const char *kind; /* of what was asked for: "volume", "snapshot"; NULL: all */
    const char *id;
    const char *name;
    struct lineage_edge *edges; /* of it and of its ancestors, each once */
    size_t count;
};

/* A volume (its present contents), a snapshot of it, or with volume NULL all there is. */
int lineage_get(struct task *task, const char *volume, const char *snapshot,
                struct lineage *lineage, struct error *err);

/* In a transaction, of a volume that was just made: what it was cloned or seeded from, if it was.
 */
int lineage_note_made(struct task *task, const struct volume *volume, struct error *err);

/* Likewise: the volume has an image's content at 'path' from now on. */
int lineage_note_seeded(struct task *task, const struct volume *volume, const char *image,
                        const char *path, struct error *err);

/* Likewise: the volume's contents, or with 'files' (JSON text) some of them, are the snapshot's. */
int lineage_note_rolled_back(struct task *task, const struct volume *volume,
                             const struct snapshot *snapshot, struct error *err);
int lineage_note_restored(struct task *task, const struct volume *volume,
                          const struct snapshot *snapshot, const char *files, struct error *err);

/* Likewise: the container runs, and may write what it has attached for writing. */
int lineage_note_started(struct task *task, const char *container_id, struct error *err);

#endif
