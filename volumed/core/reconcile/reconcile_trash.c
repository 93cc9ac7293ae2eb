/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trash against disk.  A volume's data that a crash left in volumes/ is moved to trash/ without a
 * word: it is found in either place.  Data that is in neither is told.
 */
#include <fcntl.h>

#include "base/sys.h"
#include "core/pool/pool.h"
#include "core/reconcile/reconcile_check.h"
#include "core/volume/trash.h"
#include "store/trash.h"

static int check_trash(struct task *task, bool is_repair, struct findings *findings,
                       struct error *err);

const struct reconcile_check reconcile_trash = { "trash", check_trash };

static int check_trash(struct task *task, bool is_repair, struct findings *findings,
                       struct error *err)
{
    struct trash_entry *list = NULL;
    int count = trash_list(task, NULL, &list, err);

    for (int i = 0; i < count; i++) {
        const struct driver_pool *pool = NULL;
        struct trash_entry now;
        struct error reason;
        if (pool_open(task, list[i].pool_id, &pool, &reason) < 0) /* told by the check of pools */
            continue;
        if (is_repair && trash_entry_is_volume(&list[i]))
            trash_put_away(task, list[i].id);
        cleanup_fd int fd = trash_data_open(task, &list[i], &reason);
        if (fd >= 0)
            continue;
        int found = store_trash_find(task->db, task->mem, list[i].id, &now, err);
        if (found < 0)
            return -1;
        if (found == 0) /* restored or purged meanwhile */
            continue;
        finding_add(task, findings,
                    &(struct finding){
                        .kind = "missing-trash-data",
                        .object = list[i].name,
                        .text = arena_strdup(task->mem, reason.message),
                    });
    }
    return count < 0 ? -1 : 0;
}
