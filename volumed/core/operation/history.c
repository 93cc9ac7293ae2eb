/* SPDX-License-Identifier: Apache-2.0 */
/* Forgets what is older than the limits say. */
#include "core/operation/history.h"

#include "store/event.h"
#include "store/lineage.h"
#include "store/operation.h"

int history_prune(struct task *task, struct error *err)
{
    if (store_lineage_prune(task->db, err) < 0 ||
        store_event_prune(task->db, HISTORY_EVENTS_MAX, err) < 0)
        return -1;
    return store_operation_prune(task->db, HISTORY_OPERATIONS_MAX, err) < 0 ? -1 : 0;
}
