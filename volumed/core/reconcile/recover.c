/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of recovery: pools first, since operations work on them; then operations, so that no
 * object is half-made; then what runs; then a look at disk against rows.
 */
#include "core/reconcile/recover.h"

#include "base/log.h"
#include "core/box/monitor.h"
#include "core/fence/hold_note.h"
#include "core/image/image.h"
#include "core/operation/op.h"
#include "core/pool/pool.h"
#include "core/reconcile/reconcile.h"
#include "core/recreate/recreate.h"
#include "core/replica/scale.h"
#include "core/service.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_view.h"
#include "store/volume.h"

static void show_images(struct task *task);

int recover(struct task *task, struct error *err)
{
    struct service *service = task->service;
    struct error garbage;

    hold_note_settle_all(task); /* whoever stands still because of us waits longest */
    if (pool_make_default(task, err) < 0)
        return error_prefix(err, "cannot make the default pool");
    service->pools = pools_open(task, err);
    if (service->pools == NULL)
        return error_prefix(err, "cannot open the pools");
    if (op_resume_all(task, err) < 0)
        return error_prefix(err, "cannot resume operations");
    show_images(task);
    if (monitor_start(service->monitor, task, err) < 0)
        return error_prefix(err, "cannot take over running containers");
    if (reconcile_and_log(task, err) < 0)
        return error_prefix(err, "cannot hold the disk against the rows");
    if (image_collect_layers(task, &garbage) < 0) /* room is lost, nothing else */
        log_warn("layers that nobody uses stay error=\"%s\"", garbage.message);
    if (recreate_resume_all(task, err) < 0)
        return error_prefix(err, "cannot take on recreations");
    if (scale_resume_all(task, err) < 0)
        return error_prefix(err, "cannot take on scalings");
    service->is_recovered = true;
    return 0;
}

/* Volumes that are images are mounted where the host's users look for them, as before the boot. */
static void show_images(struct task *task)
{
    struct volume *list = NULL;
    struct error failure;
    int count = store_volume_list(task->db, task->mem, &list, &failure);

    for (int i = 0; i < count; i++) {
        const struct driver_pool *pool = NULL;
        if (volume_is_foreign(&list[i]) || pool_open(task, list[i].pool_id, &pool, &failure) < 0)
            continue;
        if (view_show(pool, TREE_IN_VOLUMES, list[i].data_id, &failure) < 0)
            log_error("volume not mounted name=%s error=\"%s\"", list[i].name, failure.message);
    }
}
