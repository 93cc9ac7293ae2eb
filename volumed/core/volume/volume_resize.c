/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another limit for a volume that is there, while it is in use.  The intent is written first:
 * should we die between the filesystem and the row, the same limit is set again and the row
 * follows.
 */
#include <string.h>

#include "base/sys.h"
#include "base/units.h"
#include "core/fence/liveness.h"
#include "core/operation/op.h"
#include "core/operation/storage_kinds.h"
#include "core/pool/pool.h"
#include "core/volume/volume.h"
#include "core/volume/volume_data.h"
#include "core/volume/volume_event.h"
#include "core/volume/volume_limit.h"
#include "core/volume/volume_view.h"
#include "store/project.h"
#include "store/volume.h"

struct resizing {
    struct volume volume; /* with the options it has */
    struct volume wanted; /* with those it will have */
    const char *size;     /* as asked; NULL: as it is */
    const char *inodes;
};

static int prepare(struct task *task, struct op *op, struct error *err);
static int load(struct task *task, struct op *op, struct error *err);
static int apply(struct task *task, struct op *op, struct error *err);
static int finish(struct task *task, struct op *op, struct error *err);
static int revert(struct task *task, struct op *op, struct error *err);
static void set_options(struct task *task, struct resizing *resizing);
static void set_option(struct task *task, struct pairs *options, const char *key,
                       const char *value);
static int hold(struct task *task, const struct volume *volume, bool is_checked, struct error *err);
static int check_first(struct task *task, const struct volume *volume,
                       const struct driver_pool *pool, struct error *err);
static int check_usage(struct task *task, const struct volume *volume,
                       const struct driver_pool *pool, int fd, const struct driver_limit *limit,
                       struct error *err);

const struct op_kind volume_resize_kind = {
    .name = "volume.resize",
    .prepare = prepare,
    .load = load,
    .apply = apply,
    .finish = finish,
    .revert = revert,
};

int volume_resize(struct task *task, const char *ref, const char *size, const char *inodes,
                  struct error *err)
{
    struct resizing resizing = { .size = size, .inodes = inodes };

    if (volume_get(task, ref, &resizing.volume, err) < 0)
        return -1;
    cleanup_op struct op op = {
        .kind = &volume_resize_kind,
        .subject = arena_printf(task->mem, "volume '%s'", resizing.volume.name),
        .objects = { arena_printf(task->mem, "volume:%s", resizing.volume.id) },
        .data = &resizing,
    };
    return op_run(task, &op, err);
}

static int prepare(struct task *task, struct op *op, struct error *err)
{
    struct resizing *resizing = op->data;
    struct volume_limit limit;
    const char *id = resizing->volume.id;
    int found = store_volume_find_id(task->db, task->mem, id, &resizing->volume, err);

    if (found <= 0)
        return found < 0
                   ? -1
                   : fail(err, ERR_NOT_FOUND, "get %s: no such volume", resizing->volume.name);
    if (volume_is_foreign(&resizing->volume))
        return fail(err, ERR_UNSUPPORTED,
                    "volume '%s' lies on a filesystem of type '%s', whose limits are not ours",
                    resizing->volume.name, pairs_get(&resizing->volume.options, "type"));
    set_options(task, resizing);
    if (volume_limit_read(&resizing->wanted.options, &limit, err) < 0)
        return -1;
    op->note = json_object();
    json_set(op->note, "volume", json_text(id));
    json_set(op->note, "size", json_text(resizing->size));
    json_set(op->note, "inodes", json_text(resizing->inodes));
    return 0;
}

static int load(struct task *task, struct op *op, struct error *err)
{
    struct resizing *resizing = arena_alloc(task->mem, sizeof(*resizing));
    const char *id = NULL;

    op->data = resizing;
    if (json_get_text(op->note, "volume", task->mem, &id, err) < 0 ||
        json_get_text(op->note, "size", task->mem, &resizing->size, err) < 0 ||
        json_get_text(op->note, "inodes", task->mem, &resizing->inodes, err) < 0)
        return -1;
    if (store_volume_find_id(task->db, task->mem, id, &resizing->volume, err) <= 0)
        return fail(err, ERR_CORRUPT, "the volume that is resized is no more");
    set_options(task, resizing);
    return 0;
}

static int apply(struct task *task, struct op *op, struct error *err)
{
    const struct resizing *resizing = op->data;

    return hold(task, &resizing->wanted, true, err);
}

static int finish(struct task *task, struct op *op, struct error *err)
{
    const struct resizing *resizing = op->data;
    const struct volume *wanted = &resizing->wanted;
    const char *size = pairs_get(&wanted->options, "size");
    const char *inodes = pairs_get(&wanted->options, "inodes");
    struct pair items[] = { { "size", size != NULL ? size : "none" },
                            { "inodes", inodes != NULL ? inodes : "none" } };

    if (store_volume_set_options(task->db, wanted->id, &wanted->options, err) < 0)
        return -1;
    return volume_event(task, "resize", wanted, &(struct pairs){ ARRAY_SIZE(items), items }, err);
}

static int revert(struct task *task, struct op *op, struct error *err)
{
    const struct resizing *resizing = op->data;

    return hold(task, &resizing->volume, false, err);
}

static void set_options(struct task *task, struct resizing *resizing)
{
    struct pairs *options = &resizing->wanted.options;

    resizing->wanted = resizing->volume;
    if (options->count > 0) /* the items are the other's, too */
        options->items =
            arena_memdup(task->mem, options->items, options->count * sizeof(*options->items));
    set_option(task, options, "size", resizing->size);
    set_option(task, options, "inodes", resizing->inodes);
}

static void set_option(struct task *task, struct pairs *options, const char *key, const char *value)
{
    if (value == NULL)
        return;
    if (strcmp(value, "none") == 0)
        pairs_remove(options, key);
    else
        pairs_set(options, task->mem, key, value);
}

static int hold(struct task *task, const struct volume *volume, bool is_checked, struct error *err)
{
    const struct driver_pool *pool = NULL;
    struct driver_limit limit;
    int64_t project = 0;

    if (pool_open(task, volume->pool_id, &pool, err) < 0 ||
        store_project_find(task->db, volume->data_id, &project, err) < 0)
        return -1;
    cleanup_fd int fd = volume_source_open(pool, volume, pool->id, err);
    if (fd < 0)
        return -1;
    if (is_checked && project == 0 && check_first(task, volume, pool, err) < 0)
        return -1;
    if (volume_limit_plan(task, pool, volume, &limit, err) < 0)
        return -1;
    if (limit.project == 0) /* none any more, but it may have had one */
        limit.project = (uint32_t)project;
    if (is_checked && check_usage(task, volume, pool, fd, &limit, err) < 0)
        return -1;
    if (pool->driver->image != NULL)
        return view_resize(pool, TREE_IN_VOLUMES, volume->data_id, &limit, err);
    return pool->driver->set_limit == NULL ? 0 : pool->driver->set_limit(pool, fd, &limit, err);
}

/* Marking a tree that is in use could tear an application's renames apart (EXDEV). */
static int check_first(struct task *task, const struct volume *volume,
                       const struct driver_pool *pool, struct error *err)
{
    struct volume_limit limit;

    if (pool->driver->is_project_free == NULL ||
        volume_limit_read(&volume->options, &limit, err) < 0 || !volume_limit_is_given(&limit))
        return 0;
    if (liveness_check_idle(task, volume, err) < 0)
        return error_prefix(err, "a first limit needs a volume at rest");
    return 0;
}

static int check_usage(struct task *task, const struct volume *volume,
                       const struct driver_pool *pool, int fd, const struct driver_limit *limit,
                       struct error *err)
{
    struct driver_usage usage = { 0 };
    struct usage walked;
    char takes[UNITS_TEXT_SIZE];
    char allowed[UNITS_TEXT_SIZE];

    if (limit->size_bytes == 0 && limit->inodes == 0)
        return 0;
    if (pool->driver->usage(pool, fd, true, &usage, err) < 0) {
        if (err->code != ERR_UNSUPPORTED || volume_usage(task, volume, &walked, err) < 0)
            return -1;
        usage.referenced_bytes = walked.used_bytes;
        usage.inodes = walked.files;
    }
    if (limit->size_bytes > 0 && usage.referenced_bytes > limit->size_bytes) {
        units_format_size(usage.referenced_bytes, takes);
        units_format_size(limit->size_bytes, allowed);
        return fail(err, ERR_CONFLICT, "volume '%s' takes %s (%lld bytes), more than %s",
                    volume->name, takes, (long long)usage.referenced_bytes, allowed);
    }
    if (limit->inodes > 0 && usage.inodes > limit->inodes)
        return fail(err, ERR_CONFLICT, "volume '%s' has %lld inodes, more than %lld", volume->name,
                    (long long)usage.inodes, (long long)limit->inodes);
    return 0;
}
