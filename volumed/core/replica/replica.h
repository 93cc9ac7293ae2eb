/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One replica: a container NAME-NUMBER and its clones, NAME-NUMBER.VOLUME.  They are known by their
 * names and by a label, so that each step can be done again: what is there already is taken as it
 * is. That goes for volumes that were restored from the trash, too.
 *
 *   making      its row is there; clones and container are being made
 *   ready
 *   refreshing  new clones are being made beside the old, the container is stopped
 *   switched    it has the new clones; the old ones stay until it runs
 *   removing    container and volumes are going
 */
#ifndef CORE_REPLICA_H
#define CORE_REPLICA_H

#include <stdbool.h>

#include "core/replica/scale_run.h"
#include "model/container.h"

#define REPLICA_LABEL         "volumed.replica"        /* of containers and volumes: NAME-NUMBER */
#define REPLICA_OF_LABEL      "volumed.replica.of"     /* of containers: NAME */
#define REPLICA_SOURCE_LABEL  "volumed.replica.source" /* of containers: what they are on */
#define REPLICA_SCALING_LABEL "volumed.scaling"        /* the one that made it */

const char *replica_name(struct arena *mem, const char *group, int64_t number);
const char *replica_volume_name(struct task *task, const char *name,
                                const struct attachment *attachment);

/* By its labels. */
bool replica_is_one(const struct container *container);

/* Ready, and its container is there. */
bool replica_is_whole(struct task *task, const struct replica *replica);

/* The volumes with the replica's label; with 'scaling' (NULL: any) those that it made alone. */
int replica_volumes(struct task *task, const char *name, const char *scaling, struct volume **list,
                    struct error *err);

/* Writes the row, in a transaction of its own. */
int replica_save(struct scale_run *run, struct replica *replica, const char *state,
                 struct error *err);

/* Makes what is missing of it and starts it.  1 when the service ends meanwhile. */
int replica_make(struct scale_run *run, struct replica *replica, struct error *err);

/* A clone of the golden state's snapshot, with the replica's labels and the limit 'size' and
 * 'inodes' (NULL: the source's).  One of that name that is the replica's already is taken. */
struct replica_clone {
    const struct snapshot *source;
    const char *name; /* the volume's */
    const char *size;
    const char *inodes;
};

int replica_clone(struct scale_run *run, const struct replica *replica,
                  const struct replica_clone *clone, struct volume *volume, struct error *err);

/* Takes back what this scaling has made of it; for good. */
int replica_unmake(struct scale_run *run, const struct replica *replica, struct error *err);

/* Container and volumes, those to the trash, in one transaction; after a failure as it was before.
 */
int replica_remove(struct scale_run *run, struct replica *replica, struct error *err);
int replica_unremove(struct scale_run *run, struct replica *replica, struct error *err);

int replica_start(struct task *task, const char *name, struct error *err);

/*
 * After its start: until it is healthy, if it has a health check; else it runs.  1 when the service
 * ends meanwhile.  CONFLICT: it has ended, or is unhealthy; TIMEOUT.
 */
int replica_await(struct scale_run *run, const char *name, struct error *err);

/* New clones of the golden state with what is to be kept of the old.  1 likewise. */
int replica_refresh(struct scale_run *run, struct replica *replica, struct error *err);

/* Puts the old data back and starts it as it was. */
int replica_unrefresh(struct scale_run *run, struct replica *replica, struct error *err);

#endif
