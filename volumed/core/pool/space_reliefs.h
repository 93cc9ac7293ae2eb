/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of core/pool/space_reliefs.c, each made where its feature is. */
#ifndef CORE_SPACE_RELIEFS_H
#define CORE_SPACE_RELIEFS_H

#include "core/pool/space.h"

extern const struct space_relief
    policy_relief; /* core/snapshot/policy_run.c: what would go anyway */
extern const struct space_relief trash_relief; /* core/volume/trash_purge.c */

#endif
