/* SPDX-License-Identifier: Apache-2.0 */
/* Every check, in order: operations first, since they explain what the others see. */
#include "core/reconcile/reconcile_check.h"

const struct reconcile_check *const reconcile_checks[] = {
    &reconcile_operations, &reconcile_pools,         &reconcile_disks,
    &reconcile_volumes,    &reconcile_plugin_mounts, &reconcile_boxes,
    &reconcile_trash,      &reconcile_limits,        NULL,
};
