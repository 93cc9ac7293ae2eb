/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Restoring files, an operation on the volume.
 *
 *    staging directory        volume            a crash here, resumed
 *  ── intent on the volume and the snapshot ─── prepare
 *    copies, in part          as it was         undone: the staging directory goes
 *    copies, marker           as it was         gone on with
 *    copies and what was      some of both      gone on with
 *    what was, last marker    as restored       gone on with
 *  ── event, lineage, intent gone ───────────── finish
 *
 * What fails before the last marker is undone: what was put into place changes places again.  (A
 * crash in the moment between the staging directory's end and the commit is recorded as a failure,
 * though the files are back.)
 */
#include "core/file/file_restore.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/file/restore_stage.h"
#include "core/operation/op.h"
#include "core/operation/storage_kinds.h"
#include "core/pool/pool.h"
#include "core/snapshot/snapshot.h"
#include "core/volume/lineage.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_event.h"
#include "store/volume.h"

struct restoring {
    struct volume volume;
    struct snapshot snapshot;
    struct file_restored *items;
    size_t count;
    bool is_replace;
    bool is_moved;
    const char *stage_name;
};

static int plan(struct task *task, const struct file_restore_spec *spec,
                struct restoring *restoring, struct error *err);
static int plan_items(struct task *task, const struct file_restore_spec *spec,
                      struct restoring *restoring, struct error *err);
static int check_apart(const struct file_restored *items, size_t last, struct error *err);
static const char *clean(struct task *task, const char *path, struct error *err);
static int open_stage(struct task *task, const struct restoring *restoring,
                      struct restore_stage *stage, struct error *err);
static void stage_done(struct restore_stage *stage);
static int look(struct task *task, const struct restore_stage *stage,
                const struct restoring *restoring, struct error *err);
static int look_at(struct task *task, const struct restore_stage *stage, struct file_restored *item,
                   bool is_replace, struct error *err);
static int prepare(struct task *task, struct op *op, struct error *err);
static int load(struct task *task, struct op *op, struct error *err);
static int apply(struct task *task, struct op *op, struct error *err);
static int stage_and_mark(struct task *task, const struct restoring *restoring,
                          struct restore_stage *stage, struct error *err);
static int finish(struct task *task, struct op *op, struct error *err);
static int revert(struct task *task, struct op *op, struct error *err);
static json_t *paths_json(const struct restoring *restoring);

const struct op_kind file_restore_kind = {
    .name = "file.restore",
    .prepare = prepare,
    .load = load,
    .apply = apply,
    .finish = finish,
    .revert = revert,
};

int file_restore(struct task *task, const struct file_restore_spec *spec,
                 struct file_restored **list, size_t *count, struct error *err)
{
    CLEANUP(stage_done) struct restore_stage stage = { .snapshot_fd = -1, .volume_fd = -1 };
    struct restoring restoring = { 0 };

    if (plan(task, spec, &restoring, err) < 0 || open_stage(task, &restoring, &stage, err) < 0 ||
        look(task, &stage, &restoring, err) < 0)
        return -1;
    *list = restoring.items;
    *count = restoring.count;
    if (spec->is_dry_run)
        return store_volume_check_free(task->db, &restoring.volume, err);
    cleanup_op struct op op = {
        .kind = &file_restore_kind,
        .subject = arena_printf(task->mem, "files of '%s@%s'", restoring.volume.name,
                                restoring.snapshot.name),
        .objects = {
            arena_printf(task->mem, "volume:%s", restoring.volume.id),
            arena_printf(task->mem, "snapshot:%s", restoring.snapshot.id),
        },
        .data = &restoring,
    };
    return op_run(task, &op, err);
}

static int plan(struct task *task, const struct file_restore_spec *spec,
                struct restoring *restoring, struct error *err)
{
    char id[UUID_SIZE];

    if (volume_get(task, spec->volume, &restoring->volume, err) < 0 ||
        snapshot_get(task, restoring->volume.id, spec->snapshot, &restoring->snapshot, err) < 0)
        return -1;
    uuid_make(id);
    restoring->stage_name = arena_printf(task->mem, ".volumed-restore-%s", id);
    restoring->is_replace = spec->is_replace;
    restoring->is_moved = spec->to != NULL;
    return plan_items(task, spec, restoring, err);
}

static int plan_items(struct task *task, const struct file_restore_spec *spec,
                      struct restoring *restoring, struct error *err)
{
    size_t count = 0;

    while (spec->paths != NULL && spec->paths[count] != NULL)
        count++;
    if (count == 0 || count > FILE_RESTORE_MAX)
        return fail(err, ERR_INVALID, "name 1 to %d paths", FILE_RESTORE_MAX);
    if (spec->to != NULL && count > 1)
        return fail(err, ERR_INVALID, "another place can be given for one path alone");
    restoring->items = arena_array(task->mem, count, sizeof(*restoring->items));
    for (size_t i = 0; i < count; i++) {
        struct file_restored *item = &restoring->items[i];
        item->path = clean(task, spec->paths[i], err);
        item->target = spec->to == NULL ? item->path : clean(task, spec->to, err);
        if (item->path == NULL || item->target == NULL)
            return -1;
        if (check_apart(restoring->items, i, err) < 0)
            return -1;
    }
    restoring->count = count;
    return 0;
}

/* No item lies inside another that comes before it, nor that in it. */
static int check_apart(const struct file_restored *items, size_t last, struct error *err)
{
    const char *path = items[last].path;

    for (size_t i = 0; i < last; i++)
        if (path_is_within(path, items[i].path) || path_is_within(items[i].path, path))
            return fail(err, ERR_INVALID, "'%s' and '%s' are one inside the other", path,
                        items[i].path);
    return 0;
}

/* "a/b"; a whole volume is rolled back instead. */
static const char *clean(struct task *task, const char *path, struct error *err)
{
    const char *cleaned = path_clean(task->mem, path) + 1;

    if (*cleaned != '\0')
        return cleaned;
    (void)fail(err, ERR_INVALID, "'%s' is the whole volume: roll it back to the snapshot", path);
    return NULL;
}

static int open_stage(struct task *task, const struct restoring *restoring,
                      struct restore_stage *stage, struct error *err)
{
    const struct driver_pool *pool = NULL;

    if (pool_open(task, restoring->volume.pool_id, &pool, err) < 0)
        return -1;
    stage->name = restoring->stage_name;
    stage->is_shared = pool->driver->clone_cost != COST_BYTES;
    stage->is_moved = restoring->is_moved;
    stage->snapshot_fd = snapshot_data_open(pool, &restoring->snapshot, err);
    if (stage->snapshot_fd < 0)
        return -1;
    stage->volume_fd = volume_data_open(pool, &restoring->volume, err);
    return stage->volume_fd < 0 ? -1 : 0;
}

static void stage_done(struct restore_stage *stage)
{
    sys_close_fd(&stage->snapshot_fd);
    sys_close_fd(&stage->volume_fd);
}

static int look(struct task *task, const struct restore_stage *stage,
                const struct restoring *restoring, struct error *err)
{
    for (size_t i = 0; i < restoring->count; i++)
        if (look_at(task, stage, &restoring->items[i], restoring->is_replace, err) < 0)
            return -1;
    return 0;
}

static int look_at(struct task *task, const struct restore_stage *stage, struct file_restored *item,
                   bool is_replace, struct error *err)
{
    const char *name = NULL;
    struct stat st;
    cleanup_fd int from = restore_open_parent(task, stage->snapshot_fd, item->path, &name);
    int rc = from < 0 ? from : sys_fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW);

    if (rc == -ELOOP)
        return fail(err, ERR_INVALID, "a link is on the way to '%s': name the path it leads to",
                    item->path);
    if (rc < 0)
        return fail_sys(err, rc, "cannot find '%s' in the snapshot", item->path);
    cleanup_fd int to = restore_open_parent(task, stage->volume_fd, item->target, &name);
    if (to == -ELOOP || to == -ENOTDIR)
        return fail(err, ERR_CONFLICT,
                    "a link or a file is in the volume where '%s' needs a directory", item->target);
    rc = to < 0 ? to : sys_fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW);
    if (rc < 0 && rc != -ENOENT)
        return fail_sys(err, rc, "cannot look for '%s' in the volume", item->target);
    item->is_replaced = rc == 0;
    if (rc == 0 && S_ISDIR(st.st_mode) && !is_replace)
        return fail(
            err, ERR_CONFLICT,
            "directory '%s' is in the volume: ask to replace it, or restore to another place",
            item->target);
    return 0;
}

static int prepare(struct task *task, struct op *op, struct error *err)
{
    const struct restoring *restoring = op->data;
    struct volume now;
    int found = store_volume_find_id(task->db, task->mem, restoring->volume.id, &now, err);

    if (found < 0)
        return -1;
    if (found == 0 || strcmp(now.data_id, restoring->volume.data_id) != 0)
        return fail(err, ERR_CONFLICT, "volume '%s' was replaced or removed meanwhile",
                    restoring->volume.name);
    op->note = json_object();
    json_set(op->note, "volume", json_text(restoring->volume.id));
    json_set(op->note, "snapshot", json_text(restoring->snapshot.id));
    json_set(op->note, "stage", json_text(restoring->stage_name));
    json_set(op->note, "paths", paths_json(restoring));
    return 0;
}

static int load(struct task *task, struct op *op, struct error *err)
{
    struct restoring *restoring = arena_alloc(task->mem, sizeof(*restoring));
    const char *volume_id = "";
    const char *snapshot_id = "";
    const char *const *paths = NULL;

    *restoring = (struct restoring){ 0 };
    op->data = restoring;
    if (json_get_text(op->note, "volume", task->mem, &volume_id, err) < 0 ||
        json_get_text(op->note, "snapshot", task->mem, &snapshot_id, err) < 0 ||
        json_get_text(op->note, "stage", task->mem, &restoring->stage_name, err) < 0 ||
        json_get_list(op->note, "paths", task->mem, &paths, err) < 0 ||
        volume_get(task, volume_id, &restoring->volume, err) < 0 ||
        snapshot_get(task, restoring->volume.id, snapshot_id, &restoring->snapshot, err) < 0)
        return -1;
    if (paths == NULL)
        return fail(err, ERR_CORRUPT, "the note of a restore names no paths");
    while (paths[restoring->count] != NULL)
        restoring->count++;
    restoring->items = arena_array(task->mem, restoring->count + 1, sizeof(*restoring->items));
    for (size_t i = 0; i < restoring->count; i++)
        restoring->items[i].path = paths[i];
    return 0;
}

static int apply(struct task *task, struct op *op, struct error *err)
{
    const struct restoring *restoring = op->data;
    CLEANUP(stage_done) struct restore_stage stage = { .snapshot_fd = -1, .volume_fd = -1 };

    if (open_stage(task, restoring, &stage, err) < 0)
        return -1;
    int state = op->is_resumed ? restore_stage_read(task, &stage, err) : RESTORE_BUILDING;
    if (state < 0)
        return -1;
    if (state == RESTORE_BUILDING && op->is_resumed)
        return fail(err, ERR_SYSTEM, "the restore was interrupted");
    if (state == RESTORE_BUILDING && stage_and_mark(task, restoring, &stage, err) < 0)
        return -1;
    if ((state == RESTORE_SWAPPED || restore_stage_swap(&stage, err) == 0) &&
        restore_stage_remove(&stage, err) == 0)
        return 0;
    struct error ignored; /* what was asked for failed before */
    if (restore_stage_read(task, &stage, &ignored) != RESTORE_SWAPPED)
        return -1;
    err->code = ERR_PENDING;
    return error_prefix(err, "the files are back; what they replaced will go");
}

/* Looked at again, now that nobody but the containers can change the volume. */
static int stage_and_mark(struct task *task, const struct restoring *restoring,
                          struct restore_stage *stage, struct error *err)
{
    if (look(task, stage, restoring, err) < 0 ||
        restore_stage_build(task, stage, restoring->items, restoring->count, err) < 0)
        return -1;
    return restore_stage_mark(stage, err);
}

static int finish(struct task *task, struct op *op, struct error *err)
{
    const struct restoring *restoring = op->data;
    cleanup_json json_t *detail = json_object();

    json_set(detail, "paths", paths_json(restoring));
    struct pair items[] = {
        { "snapshot", restoring->snapshot.name },
        { "paths", json_write(task->mem, json_object_get(detail, "paths")) },
    };
    if (lineage_note_restored(task, &restoring->volume, &restoring->snapshot,
                              json_write(task->mem, detail), err) < 0)
        return -1;
    return volume_event(task, "restore", &restoring->volume,
                        &(struct pairs){ ARRAY_SIZE(items), items }, err);
}

static int revert(struct task *task, struct op *op, struct error *err)
{
    const struct restoring *restoring = op->data;
    CLEANUP(stage_done) struct restore_stage stage = { .snapshot_fd = -1, .volume_fd = -1 };

    if (open_stage(task, restoring, &stage, err) < 0)
        return -1;
    int state = restore_stage_read(task, &stage, err);
    if (state == RESTORE_SWAPPED)
        return fail(err, ERR_PENDING, "what was replaced is going; there is no way back");
    if (state < 0 || (state == RESTORE_READY && restore_stage_undo(&stage, err) < 0))
        return -1;
    return restore_stage_remove(&stage, err);
}

static json_t *paths_json(const struct restoring *restoring)
{
    json_t *paths = json_array();

    for (size_t i = 0; i < restoring->count; i++)
        json_add(paths, json_text(restoring->items[i].path));
    return paths;
}
