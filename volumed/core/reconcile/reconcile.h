/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds disk, mounts and processes against the rows: at start, hourly, and when asked.  A directory
 * without a row is garbage; a row without its directory is told, never silently dropped.
 */
#ifndef CORE_RECONCILE_H
#define CORE_RECONCILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "core/operation/task.h"

struct finding {
    const char *kind;   /* "orphan-volume-data", "missing-volume-data", "stale-container" … */
    const char *object; /* path or id */
    const char *text;   /* a sentence for people */
    bool can_repair;
    bool is_repaired;
};

struct findings {
    struct finding *items;
    size_t count;
};

/* With is_repair false nothing is changed. */
int reconcile(struct task *task, bool is_repair, struct findings *findings, struct error *err);

/* As above with repairs, and a line in the log for each finding: at start and hourly. */
int reconcile_and_log(struct task *task, struct error *err);

#endif
