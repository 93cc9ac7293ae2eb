/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening both trees, holding still what moves, and counting.  The comparison itself is the
 * drivers'.  The cut that holds a volume still lies in the pool's tmp under a claim, and goes with
 * the call; a crash leaves it to reconcile.
 */
#include "core/file/diff.h"

#include <fcntl.h>
#include <string.h>

#include "base/log.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/file/file_tree.h"
#include "core/operation/claim.h"
#include "core/snapshot/snapshot.h"
#include "core/volume/volume.h"
#include "core/volume/volume_view.h"

struct end {
    struct file_tree tree;
    struct claim claim;
    char cut_id[UUID_SIZE]; /* "" unless there is a cut of ours */
    int fd;                 /* of the cut; -1 without one */
};

struct count {
    struct diff_result *result;
    tree_change_fn each;
    void *context;
};

static int open_end(struct task *task, const char *volume, const char *snapshot, struct end *end,
                    struct error *err);
static int cut(struct end *end, struct error *err);
static void end_done(struct end *end);
static int check_there(struct task *task, const struct end *end, struct error *err);
static int is_moving(struct task *task, const struct end *end, bool *answer, struct error *err);
static int compare(const struct end *from, const struct end *to, struct tree_diff_spec *spec,
                   struct diff_result *result, struct error *err);
static int count_change(void *context, const struct tree_change *change, struct error *err);
static int end_fd(const struct end *end);

int diff_trees(struct task *task, const struct diff_spec *spec, tree_change_fn each, void *context,
               struct diff_result *result, struct error *err)
{
    CLEANUP(end_done) struct end from = { .tree = FILE_TREE_NONE, .fd = -1 };
    CLEANUP(end_done) struct end to = { .tree = FILE_TREE_NONE, .fd = -1 };
    struct diff_result counted = { 0 };
    struct count count = { &counted, each, context };
    struct tree_diff_spec diff = {
        .is_quick = spec->is_quick,
        .each = count_change,
        .context = &count,
    };
    bool moving[2];

    if (open_end(task, spec->from_volume, spec->from_snapshot, &from, err) < 0 ||
        open_end(task, spec->to_volume, spec->to_snapshot, &to, err) < 0 ||
        is_moving(task, &from, &moving[0], err) < 0 || is_moving(task, &to, &moving[1], err) < 0 ||
        compare(&from, &to, &diff, &counted, err) < 0 || check_there(task, &from, err) < 0 ||
        check_there(task, &to, err) < 0)
        return -1;
    counted.is_moving = moving[0] || moving[1];
    *result = counted;
    return 0;
}

static int open_end(struct task *task, const char *volume, const char *snapshot, struct end *end,
                    struct error *err)
{
    if (file_tree_open(task, volume, snapshot, &end->tree, err) < 0)
        return -1;
    const struct driver_pool *pool = end->tree.pool;
    bool is_cut = !end->tree.has_snapshot && pool != NULL && pool->driver->clone != NULL &&
                  pool->driver->clone_cost == COST_O1 && !view_is_needed(pool);
    return is_cut ? cut(end, err) : 0;
}

static int cut(struct end *end, struct error *err)
{
    const struct driver_pool *pool = end->tree.pool;

    uuid_make(end->cut_id);
    claim_enter(&end->claim, end->cut_id);
    const struct driver_copy copy = {
        .source_fd = end->tree.fd,
        .dirfd = pool->tmp_fd,
        .name = end->cut_id,
        .is_read_only = true,
    };
    if (pool->driver->clone(pool, &copy, err) < 0)
        return error_prefix(err, "cannot hold '%s' still", end->tree.name);
    end->fd = sys_openat(pool->tmp_fd, end->cut_id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    return end->fd < 0 ? fail_sys(err, end->fd, "cannot open a cut of '%s'", end->tree.name) : 0;
}

static void end_done(struct end *end)
{
    const struct driver_pool *pool = end->tree.pool;
    struct error err;

    sys_close_fd(&end->fd);
    if (end->cut_id[0] != '\0') {
        if (pool->driver->remove(pool, pool->tmp_fd, end->cut_id, &err) < 0)
            log_warn("a cut is left to reconcile id=%s error=\"%s\"", end->cut_id, err.message);
        claim_leave(&end->claim);
    }
    file_tree_close(&end->tree);
}

/* What was removed while we looked would have been told as files that went. */
static int check_there(struct task *task, const struct end *end, struct error *err)
{
    struct snapshot snapshot;
    struct volume volume;

    if (end->tree.has_snapshot)
        return snapshot_get(task, end->tree.volume.id, end->tree.snapshot.id, &snapshot, err);
    if (volume_get(task, end->tree.volume.id, &volume, err) < 0)
        return -1;
    if (end->fd < 0 && strcmp(volume.data_id, end->tree.volume.data_id) != 0)
        return fail(err, ERR_CONFLICT, "volume '%s' was rolled back while it was compared",
                    volume.name);
    return 0;
}

static int is_moving(struct task *task, const struct end *end, bool *answer, struct error *err)
{
    *answer = false;
    if (end->tree.has_snapshot || end->fd >= 0)
        return 0;
    return volume_is_mounted(task, &end->tree.volume, answer, err);
}

static int compare(const struct end *from, const struct end *to, struct tree_diff_spec *spec,
                   struct diff_result *result, struct error *err)
{
    const struct driver_pool *pool = from->tree.pool;
    int rc = 1;

    spec->from_fd = end_fd(from);
    spec->to_fd = end_fd(to);
    bool is_one_pool = pool != NULL && pool == to->tree.pool;
    spec->is_shared = is_one_pool && pool->driver->clone_cost != COST_BYTES;
    result->method = "changes";
    if (is_one_pool && pool->driver->diff != NULL)
        rc = pool->driver->diff(pool, spec, err);
    if (rc <= 0)
        return rc;
    result->method = "walk";
    return tree_diff(spec, err);
}

static int count_change(void *context, const struct tree_change *change, struct error *err)
{
    const struct count *count = context;
    struct diff_result *result = count->result;

    switch (change->kind) {
    case TREE_ADDED:
        result->added++;
        result->added_bytes += change->bytes;
        break;
    case TREE_REMOVED:
        result->removed++;
        result->removed_bytes += change->bytes;
        break;
    case TREE_CHANGED:
        result->changed++;
        result->changed_bytes += change->bytes;
        break;
    }
    return count->each(count->context, change, err);
}

static int end_fd(const struct end *end)
{
    return end->fd >= 0 ? end->fd : end->tree.fd;
}
