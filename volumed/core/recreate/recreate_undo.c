/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way back, from wherever it broke off: each part asks what there is, not what was done.  New
 * containers that have had the name, and so have run perhaps, are kept as failed generations with
 * their logs; those that never had it go.
 */
#include <string.h>

#include "core/container/container.h"
#include "core/container/container_stop.h"
#include "core/operation/event.h"
#include "core/recreate/generation.h"
#include "core/recreate/recreate_data.h"
#include "core/recreate/recreate_run.h"
#include "core/recreate/recreate_written.h"
#include "core/service.h"
#include "store/container.h"

#define KILL_TIMEOUT_MS 30000
#define UNUSED          "unused" /* data of a generation that nobody ran on */

static int stop_new(struct recreate_run *run, struct error *err);
static int put_data_back(struct recreate_run *run, bool is_switched, struct error *err);
static void report_written(struct recreate_run *run, bool is_switched);
static int drop_sets(struct recreate_run *run, struct error *err);
static int switch_back(struct recreate_run *run, struct error *err);
static int switch_member_back(struct recreate_run *run, const struct recreation_member *member,
                              struct error *err);
static int remove_new(struct recreate_run *run, struct error *err);
static int start_old(struct recreate_run *run, struct error *err);
static int find(struct recreate_run *run, const char *id, struct container *container,
                struct error *err);

int recreate_undo(struct recreate_run *run, struct error *err)
{
    bool is_switched = false;

    if (recreate_is_switched(run, &is_switched, err) < 0 || stop_new(run, err) < 0 ||
        put_data_back(run, is_switched, err) < 0)
        return -1;
    if (is_switched ? switch_back(run, err) < 0 : remove_new(run, err) < 0)
        return -1;
    if (run->recreation->failed_set[0] != '\0' && run->plan.keep_new_data_as != NULL &&
        recreate_data_keep(run, run->recreation->failed_set, err) < 0)
        return -1;
    if (start_old(run, err) < 0)
        return -1;
    report_written(run, is_switched);
    return drop_sets(run, err);
}

/* The old one runs again meanwhile: it is told from snapshots, of which one goes after that. */
static void report_written(struct recreate_run *run, bool is_switched)
{
    const struct recreation *recreation = run->recreation;
    const char *target = run->plan.target_set;

    if (is_switched && recreation->failed_set[0] != '\0')
        recreate_report_written(run, target != NULL ? target : recreation->set_name,
                                recreation->failed_set, NULL);
}

static int stop_new(struct recreate_run *run, struct error *err)
{
    for (size_t i = run->recreation->count; i-- > 0;) {
        const struct recreation_member *member = &run->recreation->members[i];
        cleanup_container struct container new = { 0 };
        int found = find(run, member->new_id, &new, err);
        if (found < 0 ||
            (found > 0 && container_force_down(run->task, &new, KILL_TIMEOUT_MS, err) < 0))
            return -1;
    }
    return 0;
}

/*
 * Where nothing new could write, the data is what the set has, and the set goes: but for a
 * generation that is put back, whose data may have been put back already.
 */
static int put_data_back(struct recreate_run *run, bool is_switched, struct error *err)
{
    struct recreation *recreation = run->recreation;
    bool exists = false;

    if (recreation->set_name[0] == '\0')
        return 0;
    if (recreation->failed_set[0] == '\0') {
        if (recreate_data_exists(run->task, recreation->set_name, &exists, err) < 0)
            return -1;
        if (!exists)
            return 0;
        if (!is_switched && run->plan.target_set == NULL)
            return recreate_data_drop(run->task, recreation->set_name, err);
        recreation->failed_set = arena_printf(
            run->task->mem, "%s.%s-%s", recreation->members[0].name,
            is_switched ? "failed" : UNUSED, recreation->id + strlen(recreation->id) - 8);
        if (recreate_save(run, err) < 0)
            return -1;
    }
    return recreate_data_put_back(run, recreation->set_name, recreation->failed_set, err);
}

/* The set that volumes went back to is what they hold now. */
static int drop_sets(struct recreate_run *run, struct error *err)
{
    const struct recreation *recreation = run->recreation;

    if (recreate_data_drop(run->task, recreation->set_name, err) < 0)
        return -1;
    return strstr(recreation->failed_set, "." UNUSED "-") == NULL
               ? 0
               : recreate_data_drop(run->task, recreation->failed_set, err);
}

static int switch_back(struct recreate_run *run, struct error *err)
{
    cleanup_tx struct tx tx = { 0 };

    if (tx_begin(&tx, run->task->db, err) < 0)
        return -1;
    for (size_t i = 0; i < run->recreation->count; i++)
        if (switch_member_back(run, &run->recreation->members[i], err) < 0)
            return -1;
    if (tx_commit(&tx, err) < 0)
        return -1;
    event_bell_ring(run->task->service->bell);
    return 0;
}

static int switch_member_back(struct recreate_run *run, const struct recreation_member *member,
                              struct error *err)
{
    cleanup_container struct container old = { 0 };
    cleanup_container struct container new = { 0 };
    bool was_generation = run->plan.is_rollback;
    struct generation generation = {
        .name = member->name,
        .outcome = was_generation ? "replaced" : "failed",
        .set_name = !was_generation                ? run->recreation->failed_set
                    : run->plan.target_set != NULL ? run->plan.target_set
                                                   : "",
        .recreation_id = run->recreation->id,
    };
    int has_new = find(run, member->new_id, &new, err);
    int has_old = find(run, member->old_id, &old, err);

    if (has_new < 0 || has_old < 0)
        return -1;
    generation.number = new.generation;
    if (has_new > 0 && generation_retire(run->task, &new, &generation, err) < 0)
        return -1;
    if (has_old > 0 && generation_restore(run->task, &old, member->name, err) < 0)
        return -1;
    return 0;
}

/* They never had their name; one whose id was not written down is known by its first. */
static int remove_new(struct recreate_run *run, struct error *err)
{
    static const struct container_remove_spec removal = { .force = true, .with_volumes = true };

    for (size_t i = 0; i < run->recreation->count; i++) {
        const char *name =
            recreate_next_name(run->task, run->recreation, run->recreation->members[i].name);
        if (container_remove(run->task, name, &removal, err) < 0 && err->code != ERR_NOT_FOUND)
            return -1;
    }
    return 0;
}

static int start_old(struct recreate_run *run, struct error *err)
{
    for (size_t i = 0; i < run->recreation->count; i++) {
        const struct recreation_member *member = &run->recreation->members[i];
        bool changed;
        if (!member->was_running)
            continue;
        if (container_start(run->task, member->old_id, &changed, err) < 0 &&
            err->code != ERR_NOT_FOUND)
            return error_prefix(err, "cannot start container %s again", member->name);
    }
    return 0;
}

static int find(struct recreate_run *run, const char *id, struct container *container,
                struct error *err)
{
    return id[0] == '\0' ? 0
                         : store_container_find(run->task->db, run->task->mem, id, container, err);
}
