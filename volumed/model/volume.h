/* SPDX-License-Identifier: Apache-2.0 */
/* A volume: writable data in a pool, with a name and a life of its own; and its snapshots. */
#ifndef MODEL_VOLUME_H
#define MODEL_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include "model/pairs.h"

enum cost {
    COST_O1,
    COST_FILES,
    COST_BYTES
};

/* "O(1)", "O(files)", "O(bytes)": part of the answer that clients get. */
const char *cost_name(enum cost cost);

struct pool {
    const char *id;
    const char *name;
    const char *driver; /* btrfs, reflink, directory, foreign */
    const char *path;
    bool is_default;
    int64_t created_ms;
};

struct volume {
    const char *id;
    const char *name;
    const char *pool_id;
    const char *pool_name;
    const char *data_id;
    const char *state;  /* "ready", "removing" */
    const char *driver; /* what Docker's clients are told: "local" or the plugin's name */
    struct pairs options;
    struct pairs labels;
    bool is_anonymous;
    bool is_protected;
    bool is_seeded;
    const char *seeded_from; /* JSON text or NULL */
    const char *parent;      /* JSON text or NULL */
    int64_t created_ms;
};

struct snapshot {
    const char *id;
    const char *volume_id;
    const char *volume_name;
    const char *pool_id;
    const char *name;
    const char *state;
    const char *reason; /* "user", "safety" (made before a rollback), "policy" */
    const char *fence; /* "idle": nobody had it mounted; "frozen": all writers were; "partial": some
                          were not */
    struct pairs labels;
    int64_t pause_ns;            /* how long writers stood still */
    enum cost cost;              /* of making it; not stored */
    const char *set_id;          /* of the set it is a member of; NULL: of none */
    const char *set_name;        /* as read from its row */
    const char *const *warnings; /* for people: who may have written meanwhile; NULL-terminated, or
                                    NULL; not stored */
    int64_t created_ms;
};

#endif
