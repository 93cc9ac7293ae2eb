/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The staging directory of a restore: in the root of the volume, since that is where a rename can
 * reach from, and made by strangers' rules: a container that has the volume mounted may do there
 * whatever it likes.  All is done beneath the volume's descriptor, and no link is followed.
 *
 *     VOLUME/.volumed-restore-<uuid>/0, 1, …   what is to be renamed into place: a unit
 *     VOLUME/.volumed-restore-<uuid>/ready     written when all units are whole and synced
 *     VOLUME/.volumed-restore-<uuid>/swapped   its name when all are in place: no way back
 */
#ifndef CORE_RESTORE_STAGE_H
#define CORE_RESTORE_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "core/file/file_restore.h"
#include "core/operation/task.h"

#define RESTORE_MARKER      "ready"
#define RESTORE_MARKER_LAST "swapped"

/* One rename: a restored entry, or the topmost of the directories that the volume lacks above it.
 */
struct restore_unit {
    const char *target;
    ino_t inode; /* of the restored one */
    bool is_chain;
    bool is_directory;
    int64_t mtime_ns; /* a directory's: XFS changes it when the directory moves */
};

/* A directory above a restored entry that was made, and is to be as the snapshot has it. */
struct restore_made {
    const char *path;   /* in the staging directory */
    const char *source; /* in the snapshot */
};

struct restore_stage {
    const char *name; /* ".volumed-restore-<uuid>" */
    int snapshot_fd;
    int volume_fd;
    bool is_shared;
    bool is_moved; /* to another place: directories above are not the snapshot's */
    struct restore_unit *units;
    size_t count;
    struct restore_made *made; /* parents before children */
    size_t made_count;
    size_t made_capacity;
};

/* Copies the items into a new staging directory.  Durable on return, but for the marker. */
int restore_stage_build(struct task *task, struct restore_stage *stage,
                        const struct file_restored *items, size_t count, struct error *err);

/* Writes the marker; from now on a crash is gone on from.  Durable on return. */
int restore_stage_mark(struct restore_stage *stage, struct error *err);

/* How far it has come, and the units where there is a marker. */
enum restore_state {
    RESTORE_BUILDING,
    RESTORE_READY,
    RESTORE_SWAPPED
};

int restore_stage_read(struct task *task, struct restore_stage *stage, struct error *err);

/* Renames every unit into place; those that are in place already are left.  Durable on return,
 * and from then on what was replaced may go. */
int restore_stage_swap(struct restore_stage *stage, struct error *err);

/* Takes back what restore_stage_swap() did. */
int restore_stage_undo(struct restore_stage *stage, struct error *err);

/* Removes the staging directory and what was replaced, the marker last. */
int restore_stage_remove(const struct restore_stage *stage, struct error *err);

/* Opens the directory of 'path' beneath 'root_fd' (O_PATH); *name is its last part. */
int restore_open_parent(struct task *task, int root_fd, const char *path, const char **name);

#endif
