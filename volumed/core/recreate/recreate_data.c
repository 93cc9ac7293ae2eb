/* SPDX-License-Identifier: Apache-2.0 */
/* Sets on behalf of a recreation. */
#include "core/recreate/recreate_data.h"

#include <string.h>

#include "core/snapshot/set.h"
#include "core/volume/volume.h"

int recreate_data_cut(struct recreate_run *run, struct error *err)
{
    const struct set_spec spec = {
        .name = run->recreation->set_name,
        .volumes = run->plan.volumes,
        .reason = "safety",
    };
    struct snapshot_set set;

    if (set_create(run->task, &spec, &set, err) < 0)
        return -1;
    recreate_report(run, "pause_ns", json_integer(set.pause_ns));
    return 0;
}

int recreate_data_put_back(struct recreate_run *run, const char *wanted, const char *safety,
                           struct error *err)
{
    struct snapshot_set set;
    bool is_done = false;

    if (recreate_data_exists(run->task, safety, &is_done, err) < 0)
        return -1;
    return is_done ? 0 : set_rollback_as(run->task, wanted, safety, &set, err);
}

int recreate_data_keep(struct recreate_run *run, const char *set_name, struct error *err)
{
    struct task *task = run->task;
    const char *name = run->plan.keep_new_data_as;
    struct snapshot_set set;

    if (set_get(task, set_name, &set, err) < 0)
        return -1;
    for (size_t i = 0; i < set.member_count; i++) {
        struct volume_spec spec = VOLUME_SPEC_EMPTY;
        struct volume volume;
        bool is_new;
        enum cost cost;
        spec.name = set.member_count == 1
                        ? name
                        : arena_printf(task->mem, "%s-%s", name, set.members[i].volume_name);
        spec.from_volume = set.members[i].volume_id;
        spec.from_snapshot = set.members[i].name;
        if (volume_get(task, spec.name, &volume, err) == 0)
            continue;
        if (volume_create(task, &spec, &volume, &is_new, &cost, err) < 0)
            return error_prefix(err, "cannot keep the new data as '%s'", spec.name);
    }
    return 0;
}

int recreate_data_drop(struct task *task, const char *set_name, struct error *err)
{
    static const struct set_remove_spec removal = { .is_now = true };

    if (set_name[0] == '\0' || set_remove(task, set_name, &removal, err) == 0)
        return 0;
    return err->code == ERR_NOT_FOUND ? 0 : -1;
}

int recreate_data_exists(struct task *task, const char *set_name, bool *exists, struct error *err)
{
    struct snapshot_set set;

    *exists = set_get(task, set_name, &set, err) == 0;
    return *exists || err->code == ERR_NOT_FOUND ? 0 : -1;
}
