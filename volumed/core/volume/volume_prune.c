/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pruning: all candidates go in one transaction, which checks each again, and are told in one
 * event, as Docker does.  What has a reason to stay is left out without a word.
 */
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "core/fence/liveness.h"
#include "core/operation/event.h"
#include "core/operation/op.h"
#include "core/volume/trash.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_remove.h"
#include "store/volume.h"

const char *const volume_prune_filters[] = { "all", "label", "label!", "until", "pool", NULL };

struct pruning {
    struct volume_removal *removals;
    bool *is_going; /* the transaction's last word on each */
    size_t count;
    int64_t bytes; /* what they hold */
    bool is_for_trash;
};

static int find_candidates(struct task *task, const struct filter *filter, struct pruning *pruning,
                           struct error *err);
static int read_until(const struct filter *filter, int64_t *until_ms, struct error *err);
static bool is_wanted(const struct filter *filter, const struct volume *volume, bool is_all,
                      int64_t until_ms);
static int consider(struct task *task, const struct mount_table *table, const struct volume *volume,
                    struct pruning *pruning, struct error *err);
static void measure(struct task *task, struct pruning *pruning);
static int prune_finish(struct task *task, struct op *op, struct error *err);
static int emit_prune(struct task *task, const struct pruning *pruning, struct error *err);
static void prune_after(struct task *task, struct op *op, bool is_done);

static const struct op_kind prune_kind = {
    .name = "volume.prune",
    .finish = prune_finish,
    .after = prune_after,
};

int volume_prune(struct task *task, const struct filter *filter,
                 const struct volume_prune_spec *spec, struct prune_result *result,
                 struct error *err)
{
    struct pruning pruning = { .is_for_trash = !spec->is_now && trash_is_on(task) };

    if (find_candidates(task, filter, &pruning, err) < 0)
        return -1;
    measure(task, &pruning);
    pruning.is_going = arena_array(task->mem, pruning.count + 1, sizeof(*pruning.is_going));
    memset(pruning.is_going, true, pruning.count);
    cleanup_op struct op op = { .kind = &prune_kind, .subject = "volumes", .data = &pruning };
    if (!spec->is_dry_run && op_run(task, &op, err) < 0)
        return -1;
    *result = (struct prune_result){
        .reclaimed_bytes = pruning.is_for_trash ? 0 : pruning.bytes,
        .trashed_bytes = pruning.is_for_trash ? pruning.bytes : 0,
    };
    result->names = arena_array(task->mem, pruning.count + 1, sizeof(*result->names));
    for (size_t i = 0; i < pruning.count; i++)
        if (pruning.is_going[i])
            result->names[result->count++] = pruning.removals[i].volume.name;
    return 0;
}

static int find_candidates(struct task *task, const struct filter *filter, struct pruning *pruning,
                           struct error *err)
{
    struct volume *dangling = NULL;
    struct mount_table table = { 0 };
    bool is_all = false;
    int64_t until_ms = INT64_MAX;

    if (filter_get_bool(filter, "all", &is_all, err) < 0 || read_until(filter, &until_ms, err) < 0)
        return -1;
    int count = store_volume_list_dangling(task->db, task->mem, &dangling, err);
    if (count < 0 || mount_table_read(task->mem, &table, err) < 0)
        return -1;
    pruning->removals = arena_array(task->mem, (size_t)count + 1, sizeof(*pruning->removals));
    for (int i = 0; i < count; i++)
        if (is_wanted(filter, &dangling[i], is_all, until_ms) &&
            consider(task, &table, &dangling[i], pruning, err) < 0)
            return -1;
    return 0;
}

/* A time, or Go's duration before now, as Docker takes it. */
static int read_until(const struct filter *filter, int64_t *until_ms, struct error *err)
{
    const char *text = filter_get(filter, "until");
    int64_t time_ns = 0;
    int64_t age_ns = 0;

    if (text == NULL)
        return 0;
    if (clock_parse_ns(text, &time_ns) < 0) {
        if (units_parse_duration(text, &age_ns) < 0)
            return fail(err, ERR_INVALID, "invalid filter 'until=%s'", text);
        time_ns = clock_now_ns() - age_ns;
    }
    *until_ms = time_ns / 1000000;
    return 0;
}

/* What lies on somebody else's filesystem is not ours to reclaim. */
static bool is_wanted(const struct filter *filter, const struct volume *volume, bool is_all,
                      int64_t until_ms)
{
    return (is_all || volume->is_anonymous) && !volume_is_foreign(volume) &&
           volume->created_ms < until_ms && filter_match(filter, "pool", volume->pool_name) &&
           filter_match_labels(filter, &volume->labels);
}

static int consider(struct task *task, const struct mount_table *table, const struct volume *volume,
                    struct pruning *pruning, struct error *err)
{
    struct volume_removal *removal = &pruning->removals[pruning->count];
    struct live_user *users = NULL;
    struct error reason;
    int live = liveness_find(task, table, volume, &users, err);

    if (live < 0)
        return -1;
    removal->is_for_trash = pruning->is_for_trash;
    if (live == 0 && volume_removal_check(task, volume->id, false, removal, &reason) == 0)
        pruning->count++;
    return 0;
}

static void measure(struct task *task, struct pruning *pruning)
{
    for (size_t i = 0; i < pruning->count; i++) {
        struct usage usage;
        struct error ignored; /* a number that is a little too small harms nobody */
        if (volume_usage(task, &pruning->removals[i].volume, &usage, &ignored) == 0)
            pruning->bytes += usage.used_bytes;
    }
}

static int prune_finish(struct task *task, struct op *op, struct error *err)
{
    struct pruning *pruning = op->data;

    for (size_t i = 0; i < pruning->count; i++) {
        struct volume_removal *removal = &pruning->removals[i];
        struct error reason;
        pruning->is_going[i] =
            volume_removal_check(task, removal->volume.id, false, removal, &reason) == 0;
        if (pruning->is_going[i] && volume_removal_delete(task, removal, err) < 0)
            return -1;
    }
    return emit_prune(task, pruning, err);
}

static int emit_prune(struct task *task, const struct pruning *pruning, struct error *err)
{
    long long trashed = pruning->is_for_trash ? pruning->bytes : 0;
    struct pair items[] = {
        { "reclaimed", arena_printf(task->mem, "%lld", (long long)pruning->bytes - trashed) },
        { "trashed", arena_printf(task->mem, "%lld", trashed) },
    };

    return event_emit(task, "volume", "prune", "", &(struct pairs){ ARRAY_SIZE(items), items },
                      err);
}

static void prune_after(struct task *task, struct op *op, bool is_done)
{
    const struct pruning *pruning = op->data;

    for (size_t i = 0; is_done && i < pruning->count; i++)
        if (pruning->is_going[i])
            volume_removal_discard(task, &pruning->removals[i]);
}
