/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's freezer as the supervisor holds it: pause, and leases, which end by themselves.
 * The container is frozen while it is paused or any lease is held, and only then.
 *
 * Works on descriptors opened when the container was made, with no allocation and no other process,
 * since a thaw must never fail for want of anything.
 */
#ifndef RUNNER_FREEZE_H
#define RUNNER_FREEZE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum freezer_kind {
    FREEZER_NONE,
    FREEZER_V1, /* control_fd is freezer.state */
    FREEZER_V2, /* control_fd is cgroup.freeze, event_fd cgroup.events */
};

struct freezer {
    enum freezer_kind kind;
    int control_fd;
    int event_fd;
    bool is_paused;
    int holder_count; /* leases that freeze or hold */
};

enum lease_state {
    LEASE_NONE,
    LEASE_FREEZING, /* asked for; not all processes have stopped yet */
    LEASE_HELD,
    LEASE_EXPIRED, /* its time passed before it was given back */
};

struct lease {
    enum lease_state state;
    bool is_pause;       /* becomes the pause when frozen, holds nothing then */
    int64_t begun_ns;    /* monotonic */
    int64_t frozen_ns;   /* monotonic: since when all stand still */
    int64_t limit_ns;    /* for the freezing, and again for the holding */
    int64_t retry_ns;    /* monotonic: when to look again */
    int64_t interval_ns; /* between looks; grows */
};

/* Opens the freezer below a cgroup directory of the v1 freezer hierarchy, or of v2. */
int freezer_open(struct freezer *freezer, enum freezer_kind kind, int cgroup_fd, struct error *err);
void freezer_close(struct freezer *freezer);

/* True when every process stands still, whoever wanted it. */
bool freezer_is_frozen(const struct freezer *freezer);

/* Ends the pause.  Idempotent; the container stays frozen while leases hold it. */
void freezer_resume(struct freezer *freezer);

/* Begins to freeze; lease_poll tells how it went.  Errors: UNSUPPORTED, CONFLICT (has one). */
int lease_begin(struct lease *lease, struct freezer *freezer, int64_t limit_ms, bool is_pause,
                struct error *err);

/* When lease_poll is to be called at the latest, monotonic; INT64_MAX: not needed. */
int64_t lease_due_ns(const struct lease *lease);

/*
 * Looks after the lease.  Returns 1 when the freezing has just succeeded, 0 when there is nothing
 * to tell.  Errors: TIMEOUT: it has just failed, and the container is thawed.
 */
int lease_poll(struct lease *lease, struct freezer *freezer, int64_t now_ns, struct error *err);

/* Thaws.  *held_ns is how long all stood still.  Errors: TIMEOUT (expired), CONFLICT (none). */
int lease_end(struct lease *lease, struct freezer *freezer, int64_t *held_ns, struct error *err);

/* As lease_end, for a client that is gone. */
void lease_drop(struct lease *lease, struct freezer *freezer);

#endif
