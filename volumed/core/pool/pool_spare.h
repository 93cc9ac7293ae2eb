/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Empty trees made in advance.  A new tree is durable when its directory is synced, and one sync
 * serves many trees: so a volume's creation finds a durable tree waiting and costs one commit.
 * Spares have no rows; a claim keeps reconcile off them, and after a crash it removes them.
 */
#ifndef CORE_POOL_SPARE_H
#define CORE_POOL_SPARE_H

#include "base/error.h"
#include "base/uuid.h"
#include "core/operation/claim.h"
#include "driver/driver.h"

/*
 * An empty, durable tree in volumes/, root:root 0755; *name is its UUID.  It is claimed by 'claim',
 * which must be zero and is the caller's to leave.
 */
int pool_spare_take(const struct driver_pool *pool, struct claim *claim, char name[UUID_SIZE],
                    struct error *err);

/*
 * Makes more where a creation found few left, so that the next need not.  Silent when it fails: a
 * creation that finds none makes them itself, and can say what is wrong.
 */
void pool_spare_refill(void);
bool pool_spare_is_due(void);

/* Removes the pool's spares, when it is closed. */
void pool_spare_drop(const struct driver_pool *pool);

#endif
