/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of volumes, by the pool's driver.  Everything here happens under a UUID that no row names
 * yet or any more, so that a crash leaves garbage and nothing else.
 */
#include "core/volume/volume_data.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/sys.h"
#include "base/units.h"
#include "core/pool/pool.h"
#include "core/pool/pool_reserve.h"
#include "core/pool/pool_spare.h"
#include "core/volume/volume_limit.h"
#include "core/volume/volume_view.h"
#include "driver/tree_copy.h"

static int copy_across(struct task *task, const struct driver_pool *pool,
                       const struct volume *volume, int source_fd, bool is_lenient,
                       struct error *err);
static int check_fits(const struct driver_pool *pool, const struct volume *volume, int dirfd,
                      struct error *err);
static const char *limit_text(const struct pairs *options);
static int copy_into(const struct driver_pool *pool, const char *data_id, int source_fd,
                     bool is_lenient, struct error *err);
static int discard_everywhere(const struct driver_pool *pool, const char *data_id,
                              struct error *err);
static int apply_shape(int fd, const struct volume_shape *shape);
static int open_tree(const struct driver_pool *pool, int dirfd, const char *name,
                     struct error *err);
static int named(int fd, const struct snapshot *snapshot, struct error *err);

bool volume_is_foreign(const struct volume *volume)
{
    return pairs_get(&volume->options, "type") != NULL;
}

const struct driver *volume_driver(const struct driver_pool *pool, const struct volume *volume)
{
    return volume_is_foreign(volume) ? &foreign_driver : pool->driver;
}

int volume_data_create(struct task *task, struct volume *volume, const struct volume_shape *shape,
                       struct claim *claim, struct error *err)
{
    const struct driver_pool *pool = NULL;
    char data_id[UUID_SIZE];

    if (pool_open(task, volume->pool_id, &pool, err) < 0 ||
        pool_spare_take(pool, claim, data_id, err) < 0)
        return -1;
    volume->data_id = arena_strdup(task->mem, data_id);
    claim->name = volume->data_id;
    if (volume_limit_apply(task, pool, volume, pool->volumes_fd, err) < 0)
        return -1;
    if (view_show(pool, TREE_IN_VOLUMES, volume->data_id, err) < 0)
        return -1;
    bool is_plain = !volume_shape_is_given(shape) && !shape->is_nocow;
    return is_plain ? 0 : volume_data_shape(pool, volume->data_id, shape, err);
}

int volume_data_clone(struct task *task, const struct volume *volume, int source_fd,
                      const struct driver_pool *source_pool, int64_t deadline_ms, struct error *err)
{
    const struct driver_pool *pool = NULL;
    struct driver_limit limit;

    if (pool_open(task, volume->pool_id, &pool, err) < 0)
        return -1;
    if (pool != source_pool)
        return copy_across(task, pool, volume, source_fd, false, err);
    if (pool->driver->clone == NULL)
        return fail(err, ERR_UNSUPPORTED, "driver '%s' of pool '%s' cannot copy volumes",
                    pool->driver->name, pool->name);
    if (volume_limit_plan(task, pool, volume, &limit, err) < 0)
        return -1;
    const struct driver_copy copy = {
        .source_fd = source_fd,
        .dirfd = pool->volumes_fd,
        .name = volume->data_id,
        .deadline_ms = deadline_ms,
        .limit = pool->driver->set_limit != NULL ? &limit : NULL,
    };
    if (pool_tree_clone(pool, &copy, err) < 0 ||
        (pool->driver->image != NULL && /* of a smaller one */
         view_resize(pool, TREE_IN_VOLUMES, volume->data_id, &limit, err) < 0))
        return -1;
    return check_fits(pool, volume, pool->volumes_fd, err);
}

enum cost volume_data_cost(const struct driver_pool *pool, const struct driver_pool *source_pool)
{
    return pool == source_pool ? pool->driver->clone_cost : COST_BYTES;
}

bool volume_shape_is_given(const struct volume_shape *shape)
{
    return shape->uid >= 0 || shape->gid >= 0 || shape->mode >= 0;
}

int volume_data_shape(const struct driver_pool *pool, const char *data_id,
                      const struct volume_shape *shape, struct error *err)
{
    struct stat st;
    cleanup_fd int fd = view_open_new(pool, TREE_IN_VOLUMES, data_id, err);
    int rc = fd < 0 ? 0 : sys_fstatat(fd, "", &st, AT_EMPTY_PATH);

    if (fd < 0)
        return -1;
    if (rc < 0)
        return fail_sys(err, rc, "cannot open '%s' in pool '%s'", data_id, pool->name);
    struct volume_shape wanted = *shape;
    if (wanted.uid == (int64_t)st.st_uid)
        wanted.uid = -1;
    if (wanted.gid == (int64_t)st.st_gid)
        wanted.gid = -1;
    if (wanted.mode == (int64_t)(st.st_mode & 07777))
        wanted.mode = -1;
    if (shape->is_nocow && pool->driver->set_nocow == NULL)
        return fail(err, ERR_UNSUPPORTED,
                    "option 'nocow' needs a pool of driver 'btrfs'; pool '%s' has '%s'", pool->name,
                    pool->driver->name);
    if (shape->is_nocow && pool->driver->set_nocow(fd, err) < 0)
        return -1;
    rc = apply_shape(fd, &wanted);
    return rc < 0 ? fail_sys(err, rc, "cannot set owner and mode of '%s'", data_id) : 0;
}

int volume_data_fill(struct task *task, const struct volume *volume, int source_fd,
                     struct error *err)
{
    const struct driver_pool *pool = NULL;

    if (pool_open(task, volume->pool_id, &pool, err) < 0)
        return -1;
    return copy_across(task, pool, volume, source_fd, true, err);
}

void volume_data_discard(struct task *task, const char *pool_id, const char *data_id)
{
    const struct driver_pool *pool = NULL;
    struct error err;

    if (pool_open(task, pool_id, &pool, &err) < 0 || discard_everywhere(pool, data_id, &err) < 0)
        log_warn("data not removed id=%s error=\"%s\"", data_id, err.message);
}

int volume_data_open(const struct driver_pool *pool, const struct volume *volume, struct error *err)
{
    int fd = volume_is_foreign(volume) ? open_tree(pool, pool->volumes_fd, volume->data_id, err)
                                       : view_open(pool, TREE_IN_VOLUMES, volume->data_id, err);

    return fd < 0 ? error_prefix(err, "cannot open the data of volume '%s'", volume->name) : fd;
}

int snapshot_data_open(const struct driver_pool *pool, const struct snapshot *snapshot,
                       struct error *err)
{
    return named(view_open_still(pool, TREE_IN_SNAPSHOTS, snapshot->id, err), snapshot, err);
}

int snapshot_view_open(const struct driver_pool *pool, const struct snapshot *snapshot,
                       struct error *err)
{
    return named(view_open(pool, TREE_IN_SNAPSHOTS, snapshot->id, err), snapshot, err);
}

int volume_source_open(const struct driver_pool *pool, const struct volume *volume,
                       const char *target_pool_id, struct error *err)
{
    int fd = strcmp(pool->id, target_pool_id) == 0
                 ? open_tree(pool, pool->volumes_fd, volume->data_id, err)
                 : view_open_still(pool, TREE_IN_VOLUMES, volume->data_id, err);

    return fd < 0 ? error_prefix(err, "cannot open the data of volume '%s'", volume->name) : fd;
}

int snapshot_source_open(const struct driver_pool *pool, const struct snapshot *snapshot,
                         const char *target_pool_id, struct error *err)
{
    if (strcmp(pool->id, target_pool_id) != 0)
        return snapshot_data_open(pool, snapshot, err);
    return named(open_tree(pool, pool->snapshots_fd, snapshot->id, err), snapshot, err);
}

static int open_tree(const struct driver_pool *pool, int dirfd, const char *name, struct error *err)
{
    int fd = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    return fd < 0 ? fail_sys(err, fd, "'%s' in pool '%s'", name, pool->name) : fd;
}

static int named(int fd, const struct snapshot *snapshot, struct error *err)
{
    return fd < 0 ? error_prefix(err, "cannot open the data of snapshot '%s@%s'",
                                 snapshot->volume_name, snapshot->name)
                  : fd;
}

/* Drivers refuse to go into what is mounted: a foreign filesystem loses its mount point at most. */
static int discard_everywhere(const struct driver_pool *pool, const char *data_id,
                              struct error *err)
{
    const int places[] = { pool->volumes_fd, pool->snapshots_fd, pool->trash_fd, pool->tmp_fd };
    struct stat st;

    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        if (sys_fstatat(places[i], data_id, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            view_tree_remove(pool, (enum tree_place)i, data_id, err) < 0)
            return -1;
    return 0;
}

/* Built in tmp, so that volumes/ never holds a part. */
static int copy_across(struct task *task, const struct driver_pool *pool,
                       const struct volume *volume, int source_fd, bool is_lenient,
                       struct error *err)
{
    cleanup_view_rest struct view_rest rest = { 0 };
    const char *data_id = volume->data_id;

    if (view_tree_remove(pool, TREE_IN_TMP, data_id, err) < 0 || /* of an interrupted run */
        pool->driver->create(pool, pool->tmp_fd, data_id, err) < 0 ||
        volume_limit_apply(task, pool, volume, pool->tmp_fd, err) < 0 ||
        copy_into(pool, data_id, source_fd, is_lenient, err) < 0 ||
        check_fits(pool, volume, pool->tmp_fd, err) < 0 ||
        view_put_to_rest(pool, TREE_IN_TMP, data_id, &rest, err) < 0)
        return -1;
    int rc = sys_renameat2(pool->tmp_fd, data_id, pool->volumes_fd, data_id, 0);
    if (rc >= 0)
        rc = sys_fsync(pool->volumes_fd);
    if (rc < 0)
        return fail_sys(err, rc, "cannot publish '%s' in pool '%s'", data_id, pool->name);
    view_wake(&rest);
    return view_show(pool, TREE_IN_VOLUMES, data_id, err);
}

/* Snapshots begin over their limit, and the kernel lets us write over ext4's. */
static int check_fits(const struct driver_pool *pool, const struct volume *volume, int dirfd,
                      struct error *err)
{
    struct volume_limit limit;
    struct driver_usage usage = { 0 };
    char takes[UNITS_TEXT_SIZE];

    if (volume_limit_read(&volume->options, &limit, err) < 0 || !volume_limit_is_given(&limit))
        return 0;
    cleanup_fd int fd = sys_openat(dirfd, volume->data_id, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return fail_sys(err, fd, "cannot open '%s' in pool '%s'", volume->data_id, pool->name);
    if (pool->driver->usage(pool, fd, false, &usage, err) < 0)
        return err->code == ERR_UNSUPPORTED ? 0 : -1; /* counted anew just now: the limit stands */
    if ((limit.size_bytes == 0 || usage.referenced_bytes <= limit.size_bytes) &&
        (limit.inodes == 0 || usage.inodes <= limit.inodes))
        return 0;
    units_format_size(usage.referenced_bytes, takes);
    return fail(err, ERR_NO_SPACE, "volume '%s' is limited to %s, and what goes into it takes %s",
                volume->name, limit_text(&volume->options), takes);
}

static const char *limit_text(const struct pairs *options)
{
    const char *size = pairs_get(options, "size");

    return size != NULL ? size : "fewer inodes";
}

static int copy_into(const struct driver_pool *pool, const char *data_id, int source_fd,
                     bool is_lenient, struct error *err)
{
    cleanup_fd int target = view_open_new(pool, TREE_IN_TMP, data_id, err);

    if (target < 0)
        return -1;
    return tree_copy(
        &(struct tree_copy_spec){
            .source_fd = source_fd,
            .target_fd = target,
            .is_shared = pool->driver->clone_cost != COST_BYTES,
            .is_lenient = is_lenient,
            .is_durable = true,
        },
        err);
}

static int apply_shape(int fd, const struct volume_shape *shape)
{
    bool has_owner = shape->uid >= 0 || shape->gid >= 0;
    int rc = 0;

    if (has_owner)
        rc = sys_fchownat(fd, "", (uid_t)shape->uid, (gid_t)shape->gid, AT_EMPTY_PATH);
    if (rc >= 0 && shape->mode >= 0)
        rc = sys_fchmod(fd, (mode_t)shape->mode);
    /* The entry is synced by its directory; owner and mode are the inode's own. */
    if (rc >= 0 && (has_owner || shape->mode >= 0))
        rc = sys_fsync(fd);
    return rc;
}
