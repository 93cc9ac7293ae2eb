/* SPDX-License-Identifier: Apache-2.0 */
/* A policy: when volumes are cut, and how long the snapshots stay.  And holds, which stand above
 * all policies. */
#ifndef MODEL_POLICY_H
#define MODEL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#define POLICY_LABEL "volumed.policy" /* of the snapshots that it made; its name */

struct policy {
    const char *id;
    const char *name;
    const char *schedule; /* model/schedule.h */
    const char *keep;     /* model/retention.h */
    int64_t jitter_ms;
    const char *target_kind; /* "volume", "label", "container" */
    const char *target;      /* the volume's present name; KEY or KEY=VALUE; the container's name */
    const char *volume_id;   /* NULL unless the target is a volume */
    bool is_dormant;         /* its volume is in the trash */
    int64_t created_ms;
    int64_t due_ms;  /* what its next run is for */
    int64_t next_ms; /* when that is tried */
    int64_t last_ms; /* 0: it has not run yet */
    int64_t failures;
    const char *error; /* of the last run, "" when it went well */
};

struct hold {
    const char *snapshot_id;
    const char *tag;
    const char *kind; /* "user", "base" */
    const char *actor;
    int64_t created_ms;
};

bool policy_targets(const struct policy *policy, const char *kind);

#endif
