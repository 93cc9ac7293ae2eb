/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing the data before with the data after, by sizes and times: it is read for people. */
#include "core/recreate/recreate_written.h"

#include "base/log.h"
#include "core/file/diff.h"
#include "core/snapshot/set.h"

static int count_change(void *context, const struct tree_change *change, struct error *err);

void recreate_report_written(struct recreate_run *run, const char *from, const char *to,
                             const char *prefix)
{
    struct diff_result sum = { 0 };
    struct snapshot_set set;
    struct error err;

    if (from[0] == '\0' || set_get(run->task, from, &set, &err) < 0)
        return;
    for (size_t i = 0; i < set.member_count; i++) {
        const char *volume = set.members[i].volume_id;
        const struct diff_spec spec = {
            .from_volume = volume,
            .from_snapshot = set.members[i].name,
            .to_volume = prefix == NULL ? volume
                                        : arena_printf(run->task->mem, "%s%s", prefix,
                                                       set.members[i].volume_name),
            .to_snapshot = to,
            .is_quick = true,
        };
        struct diff_result result = { 0 };
        if (diff_trees(run->task, &spec, count_change, NULL, &result, &err) < 0) {
            log_warn("cannot compare volume=%s error=\"%s\"", set.members[i].volume_name,
                     err.message);
            return;
        }
        sum.added += result.added;
        sum.removed += result.removed;
        sum.changed += result.changed;
        sum.added_bytes += result.added_bytes + result.changed_bytes;
    }
    recreate_report(run, "files_added", json_integer(sum.added));
    recreate_report(run, "files_removed", json_integer(sum.removed));
    recreate_report(run, "files_changed", json_integer(sum.changed));
    recreate_report(run, "bytes_written", json_integer(sum.added_bytes));
}

/* The sums are what is wanted. */
static int count_change(void *context, const struct tree_change *change, struct error *err)
{
    (void)context;
    (void)change;
    (void)err;
    return 0;
}
