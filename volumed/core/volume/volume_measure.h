/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What volumes take, without a walk where that can be: the filesystem's own count where it has one,
 * else what the last walk in the background found, with its age.
 */
#ifndef CORE_VOLUME_MEASURE_H
#define CORE_VOLUME_MEASURE_H

#include <stdbool.h>

#include "base/error.h"
#include "core/operation/task.h"
#include "core/pool/growth.h"
#include "model/volume.h"

/* -1: not known. */
struct measure {
    int64_t used_bytes;      /* allocated; as of measured_ms */
    int64_t exclusive_bytes; /* what its removal would free */
    int64_t files;           /* of a walk or of a quota that counts inodes */
    int64_t apparent_bytes;  /* of a walk */
    int64_t measured_ms;     /* 0: it never was */
    int64_t walked_ms;       /* 0: it never was */
    bool is_counted;         /* by the filesystem, at measured_ms; else by the walk */
    struct growth growth;    /* against its limit, or else against its pool's room */
};

enum measure_effort {
    MEASURE_KNOWN, /* never walks: what cannot be told at once is told with its age, or not at all
                    */
    MEASURE_SOON,  /* walks small volumes, and what was never walked */
    MEASURE_FRESH, /* all of it as it is now */
    MEASURE_WALK,  /* as FRESH, but what a walk tells alone */
};

int volume_measure(struct task *task, const struct volume *volume, enum measure_effort effort,
                   struct measure *measure, struct error *err);

/* The job: walks what nothing counts, and samples growth.  Gives up when the service stops. */
int volume_measure_all(struct task *task, struct error *err);

#endif
