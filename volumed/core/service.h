/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the whole process shares, made by main at start and handed to every task.  One of the few
 * structs that outlive a task.
 */
#ifndef CORE_SERVICE_H
#define CORE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "core/pool/alarm.h"

struct db;
struct event_bell;
struct monitor;
struct execs;
struct pools;
struct recreator;
struct freezer;

/*
 * STATE/volumed.db, lock          the database, and who may write it
 * STATE/pools/default/            the default pool
 * STATE/layers/<uuid>/            unpacked image layers
 * STATE/containers/<id>/          a container's box: config.json, rootfs/, upper/, work/, log, exit
 * STATE/containers/<id>/exec/     its execs' boxes
 * STATE/run/                      runner's state; nothing in it outlives the boot
 * STATE/tmp/                      being built; emptied at start
 */
struct service {
    const char *state_dir;     /* absolute */
    const char *default_pool;  /* "auto", "directory", "layered", "xfs", "btrfs": what the first
                                  start makes */
    const char *runner_path;   /* absolute */
    const char *confined_path; /* the program of confined children */
    int state_fd;
    int lock_fd; /* held by flock(2) as long as we live */
    int containers_fd;
    int layers_fd;
    int tmp_fd;
    char boot_id[64]; /* of the kernel: what was mounted or run under another is gone */
    int64_t started_ms;
    int64_t trash_ttl_ms;          /* how long removed things can be restored; 0: not at all */
    int64_t carry_window_ms;       /* how long a removed container can have a successor */
    struct alarm alarm;            /* wakes the clock's thread */
    struct event_bell *bell;       /* core/operation/event.h */
    struct monitor *monitor;       /* core/box/monitor.h: watches running containers */
    struct execs *execs;           /* core/container/exec.h: execs live in memory, as Docker's */
    struct pools *pools;           /* core/pool/pool.h: opened pools */
    struct recreator *recreator;   /* core/recreate/recreator.h: threads of recreations */
    const struct freezer *freezer; /* core/fence/freezer.h: NULL where containers cannot be held */
    int waits_max;                 /* starts that may wait for a writer at once; 0: a few */
    _Atomic bool is_recovered;     /* false until reconcile at start has ended */
    _Atomic bool is_stopping;      /* jobs that take long give up */
};

struct service_spec {
    const char *state_dir;
    const char *default_pool; /* NULL: "auto" */
    const char *runner_path;
    const char *confined_path;
};

/*
 * Opens (and at the first time makes) the state directory, takes its lock, checks and migrates the
 * database, makes the bell.  The spec's texts are kept by reference.  service_close() also after a
 * failure.  Errors: UNSUPPORTED (network filesystem), BUSY (another daemon), CONFLICT (newer
 * database), CORRUPT.
 */
int service_open(struct service *service, const struct service_spec *spec, struct error *err);
void service_close(struct service *service);

/* A connection for one thread. */
struct db *service_db_open(const struct service *service, struct error *err);

#endif
