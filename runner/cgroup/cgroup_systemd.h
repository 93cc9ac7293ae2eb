/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups that systemd makes: a container is a transient scope, whose limits systemd knows,
 * so that it does not undo them.  A scope begins with a process, and ours is to be cloned into a
 * group that is there: so a holder, which does nothing, begins it.
 */
#ifndef RUNNER_CGROUP_SYSTEMD_H
#define RUNNER_CGROUP_SYSTEMD_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "runner/spec/resources.h"

struct scope {
    const char *unit;  /* "runner-ID.scope" */
    const char *slice; /* "system.slice" */
};

/* 'cgroups_path' is "SLICE:PREFIX:NAME", or NULL.  Errors: INVALID. */
int scope_plan(struct arena *mem, const char *cgroups_path, const char *id, struct scope *scope,
               struct error *err);

/*
 * Starts it and returns when it is there; *holder is the process in it, a child of ours.
 * Errors: UNSUPPORTED (no systemd runs here), EXISTS, TIMEOUT, and systemd's own.
 */
int scope_start(const struct scope *scope, const struct resources *resources, bool is_unified,
                pid_t *holder, struct error *err);

/* Ends the holder; the scope is the container's from now on. */
void scope_release(pid_t *holder);

/* Tells systemd of limits that have been changed. */
int scope_update(const char *unit, const struct resources *resources, bool is_unified,
                 struct error *err);

/* Stops what is left of it.  Idempotent; without a systemd there is nothing to stop. */
void scope_stop(const char *unit);

#endif
