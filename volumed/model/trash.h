/* SPDX-License-Identifier: Apache-2.0 */
/* A volume or a snapshot that was removed and can be restored until it expires. */
#ifndef MODEL_TRASH_H
#define MODEL_TRASH_H

#include <stdbool.h>
#include <stdint.h>

struct trash_entry {
    const char *id;   /* the volume's or the snapshot's: it keeps it when restored */
    const char *kind; /* "volume", "snapshot" */
    const char *name; /* what it was called: VOLUME, VOLUME@SNAPSHOT */
    const char *pool_id;
    const char *pool_name;
    const char *data_id;    /* its directory's name */
    const char *volume_id;  /* a snapshot's volume; NULL for a volume */
    const char *actor;      /* who removed it */
    int64_t snapshot_count; /* that went with a volume and come back with it */
    int64_t removed_ms;
    int64_t expires_ms;
};

bool trash_entry_is_volume(const struct trash_entry *entry);

#endif
