/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adopting.  One transaction makes all rows; before it nothing is changed in the pool but that
 * trees of unknown snapshots move to volumes/, where the rows will look for them:
 *
 *    disk     mount   strays        rows   a crash here, resumed
 *  ── intent on the pool, its name and its path ── prepare
 *    there    –, up   snapshots/    –      goes on
 *    there    up      volumes/      –      goes on
 *  ── rows, intent gone ────────────────────────── finish
 *
 * What is inserted was rehearsed in apply: rows that this database does not take are refused while
 * that is still an error and nothing else.
 */
#include "core/pool/pool_adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "core/operation/event.h"
#include "core/operation/op.h"
#include "core/operation/storage_kinds.h"
#include "core/pool/pool.h"
#include "core/pool/pool_disk.h"
#include "core/pool/pool_identity.h"
#include "core/service.h"
#include "model/name.h"
#include "mount/disk.h"
#include "store/mirror.h"
#include "store/pool.h"
#include "store/pool_disk.h"

struct adoption {
    struct found *found;
    bool has_disk;
};

static int plan(struct task *task, const struct pool_adopt_spec *spec, struct adoption *adoption,
                struct error *err);
static int locate_disk(struct task *task, const struct pool_adopt_spec *spec,
                       struct pool_disk *disk, struct error *err);
static int look(struct task *task, const struct pool_adopt_spec *spec, struct adoption *adoption,
                const struct pool *place, struct error *err);
static int check_fits(struct task *task, int fd, const struct pool *pool, struct error *err);
static int look_inside(struct task *task, const struct adoption *adoption, const char *path,
                       struct error *err);
static int prepare(struct task *task, struct op *op, struct error *err);
static int load(struct task *task, struct op *op, struct error *err);
static int apply(struct task *task, struct op *op, struct error *err);
static int move_strays(struct task *task, const struct driver_pool *open, const struct found *found,
                       struct error *err);
static int rehearse(struct task *task, const struct adoption *adoption, struct error *err);
static int finish(struct task *task, struct op *op, struct error *err);
static int insert_rows(struct task *task, const struct adoption *adoption, struct error *err);
static int insert_row(struct task *task, const json_t *line, struct error *err);
static int revert(struct task *task, struct op *op, struct error *err);
static void after(struct task *task, struct op *op, bool is_done);

const struct op_kind pool_adopt_kind = {
    .name = "pool.adopt",
    .prepare = prepare,
    .load = load,
    .apply = apply,
    .finish = finish,
    .revert = revert,
    .after = after,
};

int pool_adopt(struct task *task, const struct pool_adopt_spec *spec, struct found *found,
               struct error *err)
{
    struct adoption adoption = { .found = found };

    *found = (struct found){ 0 };
    if (plan(task, spec, &adoption, err) < 0)
        return error_prefix(err, "cannot adopt");
    if (spec->is_dry_run)
        return 0;
    cleanup_op struct op op = {
        .kind = &pool_adopt_kind,
        .subject = arena_printf(task->mem, "pool '%s'", found->pool.name),
        .objects = {
            arena_printf(task->mem, "pool:%s", found->pool.id),
            arena_printf(task->mem, "pool-name:%s", found->pool.name),
            arena_printf(task->mem, "disk:%s", adoption.has_disk ? found->disk.path : found->pool.path),
        },
        .data = &adoption,
    };
    if (op_run(task, &op, err) < 0)
        return error_prefix(err, "cannot adopt pool '%s'", found->pool.name);
    return 0;
}

/* Reads who it is; an image or device is mounted beside for that, since its place has its name. */
static int plan(struct task *task, const struct pool_adopt_spec *spec, struct adoption *adoption,
                struct error *err)
{
    struct pool_disk *disk = &adoption->found->disk;
    char id[UUID_SIZE];

    if ((spec->path != NULL) + (spec->image != NULL) + (spec->device != NULL) != 1)
        return fail(err, ERR_INVALID, "one of a path, an image and a device is needed");
    if (spec->path != NULL && *spec->path != '/')
        return fail(err, ERR_INVALID, "a pool's path must be absolute: '%s'", spec->path);
    uuid_make(id);
    const struct pool place = {
        .id = id,
        .path =
            spec->path != NULL ? path_clean(task->mem, spec->path) : pool_disk_look_path(task, id),
    };
    adoption->has_disk = spec->path == NULL;
    if (!adoption->has_disk)
        return look(task, spec, adoption, &place, err);
    struct error failure;
    int rc = locate_disk(task, spec, disk, err);
    if (rc == 0)
        rc = pool_disk_up(task, &place, disk, err);
    if (rc == 0)
        rc = look(task, spec, adoption, &place, err);
    if (pool_disk_down(&place, &failure) < 0)
        log_warn("mount not removed path=%s error=\"%s\"", place.path, failure.message);
    return rc;
}

static int locate_disk(struct task *task, const struct pool_adopt_spec *spec,
                       struct pool_disk *disk, struct error *err)
{
    const char *path = spec->image != NULL ? spec->image : spec->device;
    const char *type = NULL;

    if (*path != '/')
        return fail(err, ERR_INVALID, "the path must be absolute: '%s'", path);
    cleanup_fd int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%s'", path);
    if (disk_type(task->mem, fd, &type, err) < 0)
        return -1;
    if (type == NULL || (strcmp(type, "xfs") != 0 && strcmp(type, "btrfs") != 0))
        return fail(err, ERR_CONFLICT, "there is no XFS and no btrfs on '%s'", path);
    off_t size = lseek(fd, 0, SEEK_END);
    *disk = (struct pool_disk){
        .path = path_clean(task->mem, path),
        .filesystem = type,
        .is_device = spec->device != NULL,
        .size_bytes = size < 0 ? 0 : size,
    };
    return 0;
}

static int look(struct task *task, const struct pool_adopt_spec *spec, struct adoption *adoption,
                const struct pool *place, struct error *err)
{
    struct found *found = adoption->found;
    struct pool_disk disk = found->disk;
    struct pool known;
    cleanup_fd int fd = sys_openat(AT_FDCWD, place->path, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%s'", place->path);
    if (found_identify(task, fd, found, err) < 0)
        return error_prefix(err, "'%s'", spec->path != NULL ? spec->path : disk.path);
    struct pool *pool = &found->pool;
    disk.max_bytes = found->disk.path != NULL ? found->disk.max_bytes : 0;
    found->disk = disk;
    found->disk.pool_id = pool->id;
    if (spec->name != NULL || pool->name == NULL)
        pool->name = spec->name != NULL ? spec->name : "adopted";
    pool->path = adoption->has_disk
                     ? arena_printf(task->mem, "%s/pools/%s", task->service->state_dir, pool->name)
                     : place->path;
    pool->is_default = spec->is_default;
    if (name_check("pool", pool->name, err) < 0 || check_fits(task, fd, pool, err) < 0)
        return -1;
    int taken = store_pool_find(task->db, task->mem, pool->name, &known, err);
    if (taken != 0)
        return taken < 0
                   ? -1
                   : fail(err, ERR_EXISTS, "the name '%s' is another pool's; --name gives another",
                          pool->name);
    return look_inside(task, adoption, place->path, err);
}

static int check_fits(struct task *task, int fd, const struct pool *pool, struct error *err)
{
    struct pool known;
    int found = store_pool_find(task->db, task->mem, pool->id, &known, err);

    if (found != 0)
        return found < 0 ? -1 : fail(err, ERR_CONFLICT, "it is pool '%s' already", known.name);
    const struct driver *driver = driver_find(pool->driver);
    if (driver == NULL || driver->probe == NULL)
        return fail(err, ERR_CONFLICT, "it was made for driver '%s', which is not known here",
                    pool->driver);
    if (driver->probe(fd) <= 0)
        return fail(err, ERR_CONFLICT,
                    "it was made for driver '%s', and does not lie on such a filesystem: was it"
                    " copied?",
                    pool->driver);
    return 0;
}

static int look_inside(struct task *task, const struct adoption *adoption, const char *path,
                       struct error *err)
{
    struct pool there = adoption->found->pool;
    struct driver_pool open;

    there.path = path;
    if (pool_identity_open(task->mem, &there, &open, err) < 0)
        return -1;
    found_done(adoption->found);
    int rc = found_read(task, &open, adoption->found, err);
    if (rc == 0)
        rc = rehearse(task, adoption, err);
    pool_identity_close(&open);
    return rc;
}

static int prepare(struct task *task, struct op *op, struct error *err)
{
    const struct adoption *adoption = op->data;

    (void)task;
    (void)err;
    op->note = json_object();
    json_set(op->note, "pool", pool_to_json(&adoption->found->pool));
    json_set(op->note, "disk",
             adoption->has_disk ? pool_disk_to_json(&adoption->found->disk) : json_null());
    return 0;
}

static int load(struct task *task, struct op *op, struct error *err)
{
    struct adoption *adoption = arena_alloc(task->mem, sizeof(*adoption));
    const json_t *disk = json_member(op->note, "disk");

    adoption->found = arena_alloc(task->mem, sizeof(*adoption->found));
    adoption->has_disk = disk != NULL;
    op->data = adoption;
    if (pool_from_json(task, json_member(op->note, "pool"), &adoption->found->pool, err) < 0 ||
        (disk != NULL && pool_disk_from_json(task, disk, &adoption->found->disk, err) < 0))
        return -1;
    adoption->found->disk.pool_id = adoption->found->pool.id;
    return 0;
}

static int apply(struct task *task, struct op *op, struct error *err)
{
    const struct adoption *adoption = op->data;
    struct found *found = adoption->found;
    struct driver_pool open;

    if (adoption->has_disk && pool_disk_up(task, &found->pool, &found->disk, err) < 0)
        return -1;
    if (pool_identity_open(task->mem, &found->pool, &open, err) < 0)
        return -1;
    int rc = 0;
    if (op->is_resumed)
        rc = found_read(task, &open, found, err);
    if (rc == 0)
        rc = move_strays(task, &open, found, err);
    pool_identity_close(&open);
    return rc < 0 ? -1 : rehearse(task, adoption, err);
}

static int move_strays(struct task *task, const struct driver_pool *open, const struct found *found,
                       struct error *err)
{
    (void)task;
    for (size_t i = 0; i < found->stray_count; i++) {
        const char *name = found->strays[i];
        if (open->driver->seal != NULL &&
            open->driver->seal(open, open->snapshots_fd, name, false, err) < 0)
            return -1;
        int rc = sys_renameat2(open->snapshots_fd, name, open->volumes_fd, name, RENAME_NOREPLACE);
        if (rc < 0)
            return fail_sys(err, rc, "cannot move '%s'", name);
    }
    if (found->stray_count == 0)
        return 0;
    int rc = sys_fsync(open->snapshots_fd);
    if (rc >= 0)
        rc = sys_fsync(open->volumes_fd);
    return rc < 0 ? fail_sys(err, rc, "cannot sync pool '%s'", open->name) : 0;
}

static int rehearse(struct task *task, const struct adoption *adoption, struct error *err)
{
    cleanup_tx struct tx tx = { 0 }; /* rolls back */

    return tx_begin(&tx, task->db, err) < 0 ? -1 : insert_rows(task, adoption, err);
}

static int finish(struct task *task, struct op *op, struct error *err)
{
    const struct adoption *adoption = op->data;
    const struct found *found = adoption->found;
    struct pair items[] = {
        { "volumes", arena_printf(task->mem, "%lld", (long long)found->volume_count) },
        { "snapshots", arena_printf(task->mem, "%lld", (long long)found->snapshot_count) },
        { "path", found->pool.path },
    };

    if (insert_rows(task, adoption, err) < 0)
        return -1;
    return event_emit(task, "pool", "adopt", found->pool.name,
                      &(struct pairs){ ARRAY_SIZE(items), items }, err);
}

static int insert_rows(struct task *task, const struct adoption *adoption, struct error *err)
{
    const struct found *found = adoption->found;
    size_t i;
    json_t *line;

    if (store_pool_insert(task->db, &found->pool, err) < 0)
        return err->code == ERR_EXISTS
                   ? fail(err, ERR_EXISTS, "the name or the path is another pool's")
                   : -1;
    if (adoption->has_disk && store_pool_disk_insert(task->db, &found->disk, err) < 0)
        return -1;
    json_array_foreach(found->rows, i, line)
    {
        if (insert_row(task, line, err) < 0)
            return -1;
    }
    return 0;
}

/* What hangs on a volume that is missing goes with it; a volume or snapshot must come back. */
static int insert_row(struct task *task, const json_t *line, struct error *err)
{
    const char *table = json_string_value(json_object_get(line, "t"));
    json_t *row = json_object_get(line, "r");
    bool is_tree = strcmp(table, "volume") == 0 || strcmp(table, "snapshot") == 0;

    int rc = store_mirror_insert(task->db, table, row, err);
    if (rc < 0 && err->code == ERR_CONFLICT && json_object_del(row, "set_id") == 0)
        rc = store_mirror_insert(task->db, table, row, err); /* its set's name is taken here */
    if (rc == 0)
        return 0;
    if (is_tree || err->code == ERR_NO_SPACE || err->code == ERR_CORRUPT)
        return error_prefix(err, "%s '%s'", table, json_string_value(json_object_get(row, "name")));
    log_warn("row not adopted table=%s error=\"%s\"", table, err->message);
    return 0;
}

static int revert(struct task *task, struct op *op, struct error *err)
{
    const struct adoption *adoption = op->data;

    (void)task;
    return adoption->has_disk ? pool_disk_down(&adoption->found->pool, err) : 0;
}

/* What the caller of a first run ends itself. */
static void after(struct task *task, struct op *op, bool is_done)
{
    const struct adoption *adoption = op->data;

    (void)task;
    (void)is_done;
    if (op->is_resumed)
        found_done(adoption->found);
}
