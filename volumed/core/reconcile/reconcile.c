/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the checks, and makes the one for operations that were left running. */
#include "core/reconcile/reconcile.h"

#include "core/operation/claim.h"
#include "core/operation/op.h"
#include "core/reconcile/reconcile_check.h"
#include "model/container.h"
#include "store/operation.h"
#include "store/volume.h"

#define OPERATIONS_MAX 1000

static int check_operations(struct task *task, bool is_repair, struct findings *findings,
                            struct error *err);
static int list_left(struct task *task, struct operation **left, struct error *err);

const struct reconcile_check reconcile_operations = { "operations", check_operations };

int reconcile(struct task *task, bool is_repair, struct findings *findings, struct error *err)
{
    *findings = (struct findings){ 0 };
    for (size_t i = 0; reconcile_checks[i] != NULL; i++)
        if (reconcile_checks[i]->run(task, is_repair, findings, err) < 0)
            return error_prefix(err, "cannot check %s", reconcile_checks[i]->name);
    return 0;
}

void finding_add(struct task *task, struct findings *findings, const struct finding *finding)
{
    /* Room at powers of two: the array is the arena's, and its capacity need not be kept. */
    size_t capacity = findings->count;

    if (capacity == 0 || (capacity >= 8 && (capacity & (capacity - 1)) == 0))
        findings->items =
            arena_grow(task->mem, findings->items, &capacity, sizeof(*findings->items));
    findings->items[findings->count++] = *finding;
}

int reconcile_is_garbage(struct task *task, const char *pool_id, const char *name,
                         struct error *err)
{
    /* In this order: what is published leaves claims and operations only after its row is there. */
    if (claim_is_held(name))
        return 0;
    int is_mentioned = store_operation_mentions(task->db, name, err);
    if (is_mentioned != 0)
        return is_mentioned < 0 ? -1 : 0;
    int has_row = store_volume_has_data(task->db, pool_id, name, err);
    return has_row < 0 ? -1 : !has_row;
}

static int check_operations(struct task *task, bool is_repair, struct findings *findings,
                            struct error *err)
{
    struct operation *left = NULL;
    struct operation *still = NULL;
    int count = list_left(task, &left, err);
    int still_count = 0;

    if (count > 0 && is_repair) {
        if (op_resume_all(task, err) < 0)
            return -1;
        still_count = list_left(task, &still, err);
    }
    if (count < 0 || still_count < 0)
        return -1;
    for (int i = 0; i < count; i++)
        finding_add(task, findings,
                    &(struct finding){
                        .kind = "unfinished-operation",
                        .object = left[i].id,
                        .text = arena_printf(task->mem, "%s of %s was left half done", left[i].kind,
                                             left[i].subject),
                        .can_repair = true,
                        .is_repaired = is_repair && still_count == 0,
                    });
    return 0;
}

/* Running by their rows, but no thread of this process is at them. */
static int list_left(struct task *task, struct operation **left, struct error *err)
{
    struct operation *list = NULL;
    int count = store_operation_list(task->db, task->mem, true, OPERATIONS_MAX, &list, err);
    int used = 0;

    for (int i = 0; i < count; i++)
        if (!op_is_at_work(list[i].id))
            list[used++] = list[i];
    *left = list;
    return count < 0 ? -1 : used;
}
