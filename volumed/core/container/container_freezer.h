/* SPDX-License-Identifier: Apache-2.0 */
/* The freezer that the verbs on snapshots use, by leases of supervisors. */
#ifndef CORE_CONTAINER_FREEZER_H
#define CORE_CONTAINER_FREEZER_H

#include "core/fence/freezer.h"

extern const struct freezer container_freezer;

#endif
