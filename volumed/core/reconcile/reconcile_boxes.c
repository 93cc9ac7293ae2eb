/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boxes against rows.  A box without a row is garbage of a create or a removal that a crash cut
 * short; a row without its box has lost its writable layer, which nobody can repair.
 */
#include <fcntl.h>

#include "base/dir.h"
#include "base/sys.h"
#include "core/box/box.h"
#include "core/box/box_control.h"
#include "core/box/monitor.h"
#include "core/operation/claim.h"
#include "core/reconcile/reconcile_check.h"
#include "core/service.h"
#include "store/container.h"

static int check_boxes(struct task *task, bool is_repair, struct findings *findings,
                       struct error *err);
static int check_box(struct task *task, const char *id, bool is_repair, struct findings *findings,
                     struct error *err);
static int check_rows(struct task *task, struct findings *findings, struct error *err);

const struct reconcile_check reconcile_boxes = { "containers' directories", check_boxes };

static int check_boxes(struct task *task, bool is_repair, struct findings *findings,
                       struct error *err)
{
    cleanup_dir DIR *dir = NULL;
    int rc = dir_open(task->service->containers_fd, ".", &dir);

    if (rc < 0)
        return fail_sys(err, rc, "cannot read the containers' directories");
    for (const struct dirent *entry; (entry = dir_next(dir)) != NULL;)
        if (entry->d_name[0] != '.' &&
            check_box(task, arena_strdup(task->mem, entry->d_name), is_repair, findings, err) < 0)
            return -1;
    return check_rows(task, findings, err);
}

/* In this order: what is published leaves its claim only after its row is there. */
static int check_box(struct task *task, const char *id, bool is_repair, struct findings *findings,
                     struct error *err)
{
    cleanup_container struct container container = { 0 };

    if (claim_is_held(id) || monitor_has_deferred(task->service->monitor, id))
        return 0;
    int count = store_container_find(task->db, task->mem, id, &container, err);
    if (count != 0)
        return count < 0 ? -1 : 0;
    struct finding finding = {
        .kind = "orphan-container-directory",
        .object = arena_printf(task->mem, "containers/%s", id),
        .text = "no container has this directory",
        .can_repair = true,
    };
    struct error failure;
    if (is_repair) {
        box_end_remains(task, id);
        finding.is_repaired = box_remove(task, id, &failure) == 0;
    }
    finding_add(task, findings, &finding);
    return 0;
}

static int check_rows(struct task *task, struct findings *findings, struct error *err)
{
    struct container *list = NULL;
    int count = store_container_list(task->db, task->mem, false, &list, err);

    for (int i = 0; i < count; i++) {
        struct stat st;
        int rc = sys_fstatat(task->service->containers_fd, list[i].id, &st, AT_SYMLINK_NOFOLLOW);
        if (rc < 0 && list[i].started_ns != 0)
            finding_add(task, findings,
                        &(struct finding){
                            .kind = "missing-container-directory",
                            .object = list[i].id,
                            .text = arena_printf(
                                task->mem, "what container '%s' has written is gone", list[i].name),
                        });
        container_done(&list[i]);
    }
    return count < 0 ? -1 : 0;
}
