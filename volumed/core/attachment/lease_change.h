/* SPDX-License-Identifier: Apache-2.0 */
/* One change of a running container's lease: what the rows say, and what is mounted. */
#ifndef CORE_LEASE_CHANGE_H
#define CORE_LEASE_CHANGE_H

#include <stdbool.h>

#include "core/operation/op.h"
#include "model/lease.h"
#include "model/volume.h"

struct lease_change {
    struct volume volume;
    const char *container_id;
    const char *container_name;
    const char *from; /* its state before; "" for none */
    int64_t from_epoch;
    struct lease to;
};

/* op->note and op->objects from the change; the change from op->note. */
void lease_change_note(struct task *task, struct op *op);
int lease_change_load(struct task *task, struct op *op, struct error *err);

/* In a transaction: the new state under a new epoch; and back. */
int lease_change_write(struct task *task, struct lease_change *change, const char *state,
                       struct error *err);
int lease_change_take_back(struct task *task, struct op *op, struct error *err);

/*
 * Makes what the container has mounted of the volume read-only or writable.  Errors: BUSY, naming
 * the process; CONFLICT (it does not run).
 */
int lease_change_mounts(struct task *task, const struct lease_change *change, bool is_read_only,
                        struct error *err);

#endif
