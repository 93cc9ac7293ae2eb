/* SPDX-License-Identifier: Apache-2.0 */
/* The steps forward: make, stop, cut, switch, start. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/container/container.h"
#include "core/operation/event.h"
#include "core/recreate/generation.h"
#include "core/recreate/recreate_data.h"
#include "core/recreate/recreate_run.h"
#include "core/recreate/recreate_spec.h"
#include "core/service.h"
#include "store/recreation.h"

static int make_member(struct task *task, const struct recreate_target *target,
                       struct recreation *recreation, size_t i, struct error *err);
static void take_back(struct task *task, struct recreation *recreation);
static int switch_member(struct recreate_run *run, const struct recreation_member *member,
                         struct error *err);
static const char *name_set(struct recreate_run *run);

int recreate_prepare(struct task *task, const struct recreate_request *request,
                     struct recreation *recreation, struct error *err)
{
    for (size_t i = 0; i < recreation->count; i++) {
        if (recreation->members[i].new_id[0] != '\0') /* a generation that is there */
            continue;
        if (make_member(task, &request->targets[i], recreation, i, err) == 0)
            continue;
        take_back(task, recreation);
        return -1;
    }
    return 0;
}

int recreate_stop(struct recreate_run *run, struct error *err)
{
    const struct recreation *recreation = run->recreation;

    recreate_report(run, "stopping_ms", json_integer(clock_now_ms()));
    for (size_t i = recreation->count; i-- > 0;) {
        const struct recreation_member *member = &recreation->members[i];
        bool changed;
        if (member->was_running && container_stop(run->task, member->old_id, NULL,
                                                  RECREATE_STOP_DEFAULT, &changed, err) < 0)
            return error_prefix(err, "cannot stop container %s", member->name);
    }
    recreate_report(run, "stopped_ms", json_integer(clock_now_ms()));
    return 0;
}

/* The name is in the row before the set is there, so that undoing finds it. */
int recreate_cut(struct recreate_run *run, struct error *err)
{
    if (!run->plan.has_snapshot || run->plan.volumes[0] == NULL)
        return 0;
    run->recreation->set_name = name_set(run);
    if (recreate_save(run, err) < 0)
        return -1;
    if (run->plan.target_set != NULL)
        return recreate_data_put_back(run, run->plan.target_set, run->recreation->set_name, err);
    return recreate_data_cut(run, err);
}

int recreate_switch(struct recreate_run *run, struct error *err)
{
    cleanup_tx struct tx tx = { 0 };

    if (tx_begin(&tx, run->task->db, err) < 0)
        return -1;
    for (size_t i = 0; i < run->recreation->count; i++)
        if (switch_member(run, &run->recreation->members[i], err) < 0)
            return -1;
    if (tx_commit(&tx, err) < 0)
        return -1;
    event_bell_ring(run->task->service->bell);
    return 0;
}

int recreate_start(struct recreate_run *run, struct error *err)
{
    const struct recreation *recreation = run->recreation;
    bool changed;

    for (size_t i = 0; i < recreation->count; i++) {
        const struct recreation_member *member = &recreation->members[i];
        if (member->was_running && container_start(run->task, member->new_id, &changed, err) < 0)
            return error_prefix(err, "cannot start the new container %s", member->name);
    }
    int64_t now_ms = clock_now_ms();
    recreate_report(run, "running_ms", json_integer(now_ms));
    recreate_report(run, "downtime_ms",
                    json_integer(now_ms - recreate_reported(run, "stopping_ms")));
    return 0;
}

static int make_member(struct task *task, const struct recreate_target *target,
                       struct recreation *recreation, size_t i, struct error *err)
{
    cleanup_container struct container old = { 0 };
    cleanup_recreate_spec struct container_spec spec = { 0 };
    struct recreation_member *member = &recreation->members[i];
    const char *const *warnings;

    spec.name = recreate_next_name(task, recreation, member->name);
    if (container_get(task, member->old_id, &old, err) < 0 ||
        recreate_spec_fill(task, &old, target->change, &spec, err) < 0 ||
        generation_next(task, &old, &spec.generation, err) < 0 ||
        container_create(task, &spec, &member->new_id, &warnings, err) < 0)
        return error_prefix(err, "cannot make the new container %s", member->name);
    return store_recreation_set_new(task->db, recreation->id, i, member->new_id, err);
}

/* A request that fails leaves nothing: neither containers nor the row. */
static void take_back(struct task *task, struct recreation *recreation)
{
    static const struct container_remove_spec removal = { .force = true, .with_volumes = true };
    struct error err;

    for (size_t i = 0; i < recreation->count; i++) {
        const char *name = recreate_next_name(task, recreation, recreation->members[i].name);
        if (container_remove(task, name, &removal, &err) < 0 && err.code != ERR_NOT_FOUND) {
            log_error("cannot remove container=%s error=\"%s\"", name, err.message);
            return; /* the row stays, and the next start takes it up */
        }
    }
    if (store_recreation_delete(task->db, recreation->id, &err) < 0)
        log_error("recreation stays id=%s error=\"%s\"", recreation->id, err.message);
}

static int switch_member(struct recreate_run *run, const struct recreation_member *member,
                         struct error *err)
{
    cleanup_container struct container old = { 0 };
    cleanup_container struct container new = { 0 };
    struct generation generation = {
        .name = member->name,
        .outcome = "replaced",
        .set_name = run->recreation->set_name,
        .recreation_id = run->recreation->id,
    };

    if (container_get(run->task, member->old_id, &old, err) < 0 ||
        container_get(run->task, member->new_id, &new, err) < 0)
        return -1;
    if (container_is_live(&old))
        return fail(err, ERR_CONFLICT, "container %s was started meanwhile", member->name);
    generation.number = old.generation;
    if (generation_retire(run->task, &old, &generation, err) < 0)
        return -1;
    return generation_restore(run->task, &new, member->name, err);
}

/* "web.gen-3", which tells what it belongs to; the id's end makes it new where that is taken. */
static const char *name_set(struct recreate_run *run)
{
    const struct recreation *recreation = run->recreation;
    const struct recreation_member *member = &recreation->members[0];
    cleanup_container struct container old = { 0 };
    struct error ignored; /* then the number is 0, which is a name as well */
    bool is_taken = true;

    (void)container_get(run->task, member->old_id, &old, &ignored);
    const char *name =
        arena_printf(run->task->mem, "%s.gen-%lld", member->name, (long long)old.generation);
    if (recreate_data_exists(run->task, name, &is_taken, &ignored) == 0 && !is_taken)
        return name;
    return arena_printf(run->task->mem, "%s-%s", name, recreation->id + strlen(recreation->id) - 8);
}
