/* SPDX-License-Identifier: Apache-2.0 */
/* A set: snapshots of several volumes, cut at one instant.  Each member is VOLUME@NAME. */
#ifndef MODEL_SET_H
#define MODEL_SET_H

#include <stddef.h>
#include <stdint.h>

#include "model/volume.h"

struct snapshot_set {
    const char *id;
    const char *name;
    const char *reason; /* as a snapshot's; likewise fence */
    const char *fence;
    const char *containers; /* JSON text: [{"id", "name"}], those it was asked for by */
    struct pairs labels;
    int64_t size;     /* how many members it was made with */
    int64_t pause_ns; /* how long writers stood still, for the whole */
    int64_t created_ms;
    const char *const *warnings; /* as a snapshot's; not stored */
    struct snapshot *members;    /* by volume name */
    size_t member_count;         /* fewer than size: some were removed with their volumes */
};

#endif
