/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs on recreations: what a door asks for becomes a row, and a row gets its thread. */
#include "core/recreate/recreate.h"

#include "base/clock.h"
#include "base/uuid.h"
#include "core/operation/event.h"
#include "core/recreate/generation.h"
#include "core/recreate/recreate_plan.h"
#include "core/recreate/recreate_run.h"
#include "core/recreate/recreator.h"
#include "core/service.h"
#include "store/recreation.h"

int recreate_begin(struct task *task, const struct recreate_request *request,
                   struct recreation *recreation, struct error *err)
{
    cleanup_tx struct tx tx = { 0 };
    struct recreate_plan plan;
    char id[UUID_SIZE];

    uuid_make(id);
    *recreation = (struct recreation){
        .id = arena_strdup(task->mem, id),
        .state = "preparing",
        .set_name = "",
        .failed_set = "",
        .reason = "",
        .report = "{}",
        .decision = "",
        .actor = task->actor,
        .started_ms = clock_now_ms(),
    };
    /* The checks are made in the transaction that writes the row: two at once see each other. */
    if ((!request->is_dry_run && tx_begin(&tx, task->db, err) < 0) ||
        recreate_plan_make(task, request, recreation, &plan, err) < 0)
        return -1;
    cleanup_json json_t *json = recreate_plan_json(&plan);
    recreation->plan = json_write(task->mem, json);
    if (request->is_dry_run)
        return 0;
    if (store_recreation_insert(task->db, recreation, err) < 0 || tx_commit(&tx, err) < 0)
        return -1;
    if (recreate_prepare(task, request, recreation, err) < 0)
        return -1;
    return recreator_begin(task->service->recreator, recreate_run, recreation->id, false, err);
}

int recreate_get(struct task *task, const char *id, struct recreation *recreation,
                 struct error *err)
{
    int found = store_recreation_find(task->db, task->mem, id, recreation, err);

    if (found < 0)
        return -1;
    return found > 0 ? 0 : fail(err, ERR_NOT_FOUND, "no such recreation: %s", id);
}

int recreate_list(struct task *task, const char *name, struct recreation **list, struct error *err)
{
    return store_recreation_list(task->db, task->mem, name, false, list, err);
}

int recreate_decide(struct task *task, const char *id, bool is_commit, struct error *err)
{
    struct recreation recreation;

    if (recreate_get(task, id, &recreation, err) < 0)
        return -1;
    int changed = store_recreation_decide(task->db, id, is_commit ? "commit" : "undo", err);
    if (changed < 0)
        return -1;
    event_bell_ring(task->service->bell);
    return changed > 0 ? 0
                       : fail(err, ERR_CONFLICT, "recreation %s is in no probation (it is '%s')",
                              id, recreation.state);
}

int recreate_resume_all(struct task *task, struct error *err)
{
    struct recreation *list = NULL;

    generation_tidy(task);
    int count = store_recreation_list(task->db, task->mem, NULL, true, &list, err);
    for (int i = 0; i < count; i++)
        if (recreator_begin(task->service->recreator, recreate_run, list[i].id, true, err) < 0)
            return -1;
    return count < 0 ? -1 : 0;
}
