/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanging a replica's volumes for their successors, and putting away what was exchanged. */
#ifndef CORE_REPLICA_SWITCH_H
#define CORE_REPLICA_SWITCH_H

#include "core/replica/replica.h"

/* Two volumes of one replica: the one that has the name, and the one that is to have it. */
struct replica_swap {
    struct volume has;
    struct volume gets;
    const char *aside; /* what the first is called afterwards */
};

struct replica_swaps {
    struct replica_swap *items;
    size_t count;
    const char *source_name; /* what the container is on afterwards, for its label */
};

/*
 * One transaction: names and attachments of the stopped container, and the replica's state.
 * CONFLICT: it was started meanwhile.
 */
int replica_switch(struct task *task, struct replica *replica, const char *container_id,
                   const struct replica_swaps *swaps, struct error *err);

/* To the trash, where it is called 'name'. */
int replica_put_away(struct task *task, const struct volume *volume, const char *name,
                     struct error *err);

#endif
